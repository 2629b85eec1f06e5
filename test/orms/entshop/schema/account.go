// SPDX-License-Identifier: 0BSD

// Package schema is what ent generates its code from.
package schema

import (
	"context"

	"entgo.io/ent"
	"entgo.io/ent/schema/field"
)

type Account struct{ ent.Schema }

func (Account) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("balance"),
		field.Int64("version").Default(1),
	}
}

// An update of an object carries the version after the one that was read.
func (Account) Hooks() []ent.Hook {
	return []ent.Hook{func(next ent.Mutator) ent.Mutator {
		return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (
			ent.Value, error) {
			if m.Op().Is(ent.OpUpdateOne) {
				old, err := m.OldField(ctx, "version")
				if err != nil {
					return nil, err
				}
				if err = m.SetField("version", old.(int64)+1); err != nil {
					return nil, err
				}
			}
			return next.Mutate(ctx, m)
		})
	}}
}
