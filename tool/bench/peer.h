/* SPDX-License-Identifier: 0BSD */
/*
** The servers that locks are compared with, each spoken to in its own protocol
** over a socket, without a client library. tool/bench/all.py starts them, and
** says by variables of the environment where they listen; a server whose
** variable is not set is not there. An error ends the program.
**
**   BENCH_POSTGRESQL   path of the socket, user `bench`, database `postgres`
**   BENCH_MARIADB      path of the socket, user `root` without a password
**   BENCH_REDIS        path of the socket
**   BENCH_ETCD         port on 127.0.0.1
*/
#ifndef PEER_H
#define PEER_H

typedef struct Peer Peer;

/* Whether the server is there. */
int peerHas(const char *zVariable);

/* Connects. A peer is used by one process, and must not be used after a
** fork. */
Peer *peerPostgres(void);
Peer *peerMaria(void);
Peer *peerRedis(void);
Peer *peerEtcd(void);
void peerClose(Peer *p);

/* Each runs one command and returns the first value of its result, which is
** valid until the next command, or NULL if there is none or it is null. */
const char *peerPostgresSql(Peer *p, const char *zSql);
const char *peerMariaSql(Peer *p, const char *zSql);

/* A command of Redis: its words, the last one NULL. */
const char *peerRedisDo(Peer *p, const char *zFirst, ...);

/* Sends JSON to a path, and returns the answer's field, a string. */
const char *peerEtcdPost(Peer *p, const char *zPath, const char *zJson,
                         const char *zField);

/* etcd wants keys in base64. zOut has room for 4/3 of zIn and 5 more. */
void peerBase64(const char *zIn, char *zOut);

#endif /* PEER_H */
