package vending

import "fmt"

// OnRow tells of each row of the state table that takes a fact of this operator. Call it before the operator is used.
func (o *Operator) OnRow(hit func(number int)) {
	o.rules.hit = func(taken *row) {
		for i := range table {
			if taken == &table[i] {
				hit(i)
			}
		}
	}
}

// Rows are the rows of the state table in words.
func Rows() []string {
	list := make([]string, len(table))
	for i, row := range table {
		list[i] = fmt.Sprintf("%v: %s, %s → %s", row.from, row.fact, row.name, row.to)
	}
	return list
}

// Whole is the flag that has the largest tests run to their end.
var Whole = whole
