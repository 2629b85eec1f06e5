/* SPDX-License-Identifier: 0BSD */
/*
** Servers over sockets. See peer.h.
*/
#define _GNU_SOURCE
#include "peer.h"
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PEER_BUFFER 65536
#define PEER_VALUE  4096

struct Peer {
  const char *zName;
  int fd;
  int nHave, nUsed;                 /* bytes read, and of these, taken */
  char a[PEER_BUFFER];
  char zValue[PEER_VALUE];          /* what the last command returned */
};

static void peerFail(const Peer *p, const char *zWhat){
  fprintf(stderr, "%s: %s\n", p->zName, zWhat);
  exit(1);
}

int peerHas(const char *zVariable){
  const char *z = getenv(zVariable);
  return z && z[0];
}

/* ---- sockets ---------------------------------------------------------- */

static Peer *newPeer(const char *zName, int eFamily){
  Peer *p = calloc(1, sizeof(*p));
  if( p==0 ) exit(1);
  p->zName = zName;
  p->fd = socket(eFamily, SOCK_STREAM, 0);
  return p;
}

static Peer *onSocket(const char *zName, const char *zVariable){
  struct sockaddr_un addr = { .sun_family = AF_UNIX };
  Peer *p = newPeer(zName, AF_UNIX);
  strncpy(addr.sun_path, getenv(zVariable), sizeof(addr.sun_path)-1);
  if( connect(p->fd, (struct sockaddr*)&addr, sizeof(addr)) ){
    peerFail(p, "cannot connect");
  }
  return p;
}

void peerClose(Peer *p){
  close(p->fd);
  free(p);
}

static void put(Peer *p, const void *pData, size_t n){
  const char *z = pData;
  while( n>0 ){
    ssize_t k = write(p->fd, z, n);
    if( k<=0 ) peerFail(p, "cannot write");
    z += k;
    n -= (size_t)k;
  }
}

/* Returns the next n bytes, which are valid until the next call. */
static const char *take(Peer *p, int n){
  if( n>PEER_BUFFER ) peerFail(p, "a message that is too long");
  if( p->nUsed+n>PEER_BUFFER ){
    memmove(p->a, p->a+p->nUsed, (size_t)(p->nHave-p->nUsed));
    p->nHave -= p->nUsed;
    p->nUsed = 0;
  }
  while( p->nHave-p->nUsed<n ){
    ssize_t k = read(p->fd, p->a+p->nHave, (size_t)(PEER_BUFFER-p->nHave));
    if( k<=0 ) peerFail(p, "the connection has ended");
    p->nHave += (int)k;
  }
  p->nUsed += n;
  return p->a + p->nUsed - n;
}

/* Keeps a value of n bytes. */
static void keep(Peer *p, const char *z, int n){
  if( n>PEER_VALUE-1 ) n = PEER_VALUE-1;
  memcpy(p->zValue, z, (size_t)n);
  p->zValue[n] = 0;
}

/* Returns the next line without its CR LF. */
static const char *line(Peer *p){
  int n = 0;
  for(;;){
    char c = *take(p, 1);
    if( c=='\n' ) break;
    if( n<PEER_VALUE-1 ) p->zValue[n++] = c;
  }
  if( n>0 && p->zValue[n-1]=='\r' ) n--;
  p->zValue[n] = 0;
  return p->zValue;
}

/* ---- PostgreSQL ------------------------------------------------------- */

static int bigEndian(const char *z){
  unsigned x;
  memcpy(&x, z, 4);
  return (int)ntohl(x);
}

/* Reads messages until the server is ready. Returns 1 if there was a row whose
** first value is not null, which is kept. */
static int postgresAnswer(Peer *p){
  int bValue = 0, bRow = 0;
  for(;;){
    char eType = *take(p, 1);
    int n = bigEndian(take(p, 4)) - 4;
    const char *z = take(p, n);
    if( eType=='Z' ) return bValue;
    if( eType=='E' ) peerFail(p, z);
    if( eType=='R' && bigEndian(z)!=0 ) peerFail(p, "wants a password");
    if( eType!='D' || bRow ) continue;
    bRow = 1;
    bValue = bigEndian(z+2)>=0;
    if( bValue ) keep(p, z+6, bigEndian(z+2));
  }
}

Peer *peerPostgres(void){
  static const char zHello[] = "user\0bench\0database\0postgres\0";
  unsigned a[2] = { htonl(sizeof(zHello)+8), htonl(3<<16) };
  Peer *p = onSocket("PostgreSQL", "BENCH_POSTGRESQL");
  put(p, a, sizeof(a));
  put(p, zHello, sizeof(zHello));
  postgresAnswer(p);
  return p;
}

const char *peerPostgresSql(Peer *p, const char *zSql){
  char a[PEER_VALUE];
  int n = (int)strlen(zSql) + 1;
  unsigned x = htonl((unsigned)n + 4);
  if( n+5>(int)sizeof(a) ) peerFail(p, "an SQL text that is too long");
  a[0] = 'Q';
  memcpy(a+1, &x, 4);
  memcpy(a+5, zSql, (size_t)n);
  put(p, a, (size_t)n+5);
  return postgresAnswer(p) ? p->zValue : 0;
}

/* ---- MariaDB ---------------------------------------------------------- */

/* Reads one packet, and notes its number. */
static const char *mariaPacket(Peer *p, int *pn, int *piNumber){
  const unsigned char *z = (const unsigned char*)take(p, 4);
  *pn = z[0] | z[1]<<8 | z[2]<<16;
  *piNumber = z[3];
  return take(p, *pn);
}

static void mariaPut(Peer *p, int iNumber, const void *pData, int n){
  char a[PEER_VALUE];
  if( n+4>(int)sizeof(a) ) peerFail(p, "a packet that is too long");
  a[0] = (char)(n & 255);
  a[1] = (char)(n>>8 & 255);
  a[2] = (char)(n>>16 & 255);
  a[3] = (char)iNumber;
  memcpy(a+4, pData, (size_t)n);
  put(p, a, (size_t)n+4);
}

static int isEof(const char *z, int n){
  return (unsigned char)z[0]==0xfe && n<9;
}

Peer *peerMaria(void){
  /* CLIENT_PROTOCOL_41, SECURE_CONNECTION, PLUGIN_AUTH; no password */
  static const char zLogin[] = "\x00\x82\x08\x00" "\x00\x00\x00\x01" "\x21"
    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
    "root\0" "\0" "mysql_native_password";
  Peer *p = onSocket("MariaDB", "BENCH_MARIADB");
  const char *z;
  int n, iNumber;
  mariaPacket(p, &n, &iNumber);
  mariaPut(p, iNumber+1, zLogin, sizeof(zLogin));
  z = mariaPacket(p, &n, &iNumber);
  if( (unsigned char)z[0]==0xfe ){
    mariaPut(p, iNumber+1, "", 0);
    z = mariaPacket(p, &n, &iNumber);
  }
  if( z[0]!=0 ) peerFail(p, "refuses the user root");
  return p;
}

const char *peerMariaSql(Peer *p, const char *zSql){
  char a[PEER_VALUE];
  const char *z;
  int n = snprintf(a, sizeof(a), "\x03%s", zSql), iNumber, nEof = 0, bRow = 0;
  int bValue = 0;
  mariaPut(p, 0, a, n);
  z = mariaPacket(p, &n, &iNumber);
  if( (unsigned char)z[0]==0xff ) peerFail(p, z+9);
  if( z[0]==0 ) return 0;
  while( nEof<2 ){
    z = mariaPacket(p, &n, &iNumber);
    if( (unsigned char)z[0]==0xff ) peerFail(p, z+9);
    if( isEof(z, n) ){
      nEof++;
    }else if( nEof==1 && !bRow ){
      bRow = 1;
      bValue = (unsigned char)z[0]!=0xfb;
      if( bValue ) keep(p, z+1, (unsigned char)z[0]);
    }
  }
  return bValue ? p->zValue : 0;
}

/* ---- Redis ------------------------------------------------------------ */

Peer *peerRedis(void){
  return onSocket("Redis", "BENCH_REDIS");
}

const char *peerRedisDo(Peer *p, const char *zFirst, ...){
  char a[PEER_VALUE];
  const char *z;
  va_list ap;
  int n = 0, nWord = 0, nByte;
  va_start(ap, zFirst);
  for(z=zFirst; z; z=va_arg(ap, const char*)) nWord++;
  va_end(ap);
  n = snprintf(a, sizeof(a), "*%d\r\n", nWord);
  va_start(ap, zFirst);
  for(z=zFirst; z && n<(int)sizeof(a); z=va_arg(ap, const char*)){
    n += snprintf(a+n, sizeof(a)-(size_t)n, "$%zu\r\n%s\r\n", strlen(z), z);
  }
  va_end(ap);
  if( n>=(int)sizeof(a) ) peerFail(p, "a command that is too long");
  put(p, a, (size_t)n);
  z = line(p);
  if( z[0]=='-' ) peerFail(p, z+1);
  if( z[0]!='$' ) return z+1;
  nByte = atoi(z+1);
  if( nByte<0 ) return 0;
  keep(p, take(p, nByte+2), nByte);
  return p->zValue;
}

/* ---- etcd ------------------------------------------------------------- */

Peer *peerEtcd(void){
  struct sockaddr_in addr = { .sin_family = AF_INET };
  Peer *p = newPeer("etcd", AF_INET);
  int bNoDelay = 1;
  addr.sin_port = htons((unsigned short)atoi(getenv("BENCH_ETCD")));
  addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if( connect(p->fd, (struct sockaddr*)&addr, sizeof(addr)) ){
    peerFail(p, "cannot connect");
  }
  setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &bNoDelay, sizeof(bNoDelay));
  return p;
}

/* Reads the head of an answer. Returns the length of its body. */
static int httpHead(Peer *p){
  const char *z = line(p);
  int n = 0, bOk = strstr(z, " 200 ")!=0;
  while( (z = line(p))[0] ){
    if( strncasecmp(z, "Content-Length:", 15)==0 ) n = atoi(z+15);
  }
  if( !bOk ){
    keep(p, take(p, n), n);
    peerFail(p, p->zValue);
  }
  return n;
}

const char *peerEtcdPost(Peer *p, const char *zPath, const char *zJson,
                         const char *zField){
  char a[PEER_VALUE], zName[100], *z, *zEnd;
  int n = snprintf(a, sizeof(a), "POST %s HTTP/1.1\r\nHost: localhost\r\n"
                   "Content-Length: %zu\r\n\r\n%s", zPath, strlen(zJson),
                   zJson);
  if( n>=(int)sizeof(a) ) peerFail(p, "a request that is too long");
  put(p, a, (size_t)n);
  n = httpHead(p);
  keep(p, take(p, n), n);
  snprintf(zName, sizeof(zName), "\"%s\":\"", zField);
  z = strstr(p->zValue, zName);
  if( z==0 ) return 0;
  z += strlen(zName);
  zEnd = strchr(z, '"');
  if( zEnd ) *zEnd = 0;
  return z;
}

void peerBase64(const char *zIn, char *zOut){
  static const char zDigit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrst"
                               "uvwxyz0123456789+/";
  size_t n = strlen(zIn), i;
  for(i=0; i<n; i+=3){
    unsigned x = (unsigned)(unsigned char)zIn[i]<<16;
    if( i+1<n ) x |= (unsigned)(unsigned char)zIn[i+1]<<8;
    if( i+2<n ) x |= (unsigned char)zIn[i+2];
    *zOut++ = zDigit[x>>18];
    *zOut++ = zDigit[x>>12 & 63];
    *zOut++ = i+1<n ? zDigit[x>>6 & 63] : '=';
    *zOut++ = i+2<n ? zDigit[x & 63] : '=';
  }
  *zOut = 0;
}
