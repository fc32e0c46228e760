package vending_test

import (
	"testing"

	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/vendingtest"
)

func TestMemoryStore(t *testing.T) {
	t.Parallel()
	vendingtest.TestStore(t, func(testing.TB) vendingtest.StorePlace {
		store := vending.NewMemoryStore()
		return vendingtest.StorePlace{Connect: func(testing.TB) vending.Store { return store }}
	})
}
