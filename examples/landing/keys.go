package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/vippsvending/vipps/vending"
)

// keys are those of the machines: lines such as "oslo2 A1".
func (s *shop) keys(ctx context.Context, from io.Reader) {
	for lines := bufio.NewScanner(from); lines.Scan(); {
		machine, key, _ := strings.Cut(strings.TrimSpace(lines.Text()), " ")
		switch err := s.press(ctx, machine, key); {
		case machine == "":
		case err != nil:
			fmt.Printf("%s says: %v\n", machine, err)
		default:
			fmt.Printf("%s takes %s\n", machine, key)
		}
	}
}

// press is what a machine does when one of its keys is pressed: it depends on who stands there.
func (s *shop) press(ctx context.Context, machine, key string) error {
	if _, err := page(machine); err != nil {
		return err
	}
	session, err := s.operator.Seat(ctx, machine)
	switch {
	case errors.Is(err, vending.ErrNotFound): // nobody has paid, or is about to
		for _, product := range products {
			if product.Slot == key && !product.SoldOut {
				return s.operator.ReportSelection(machine, product)
			}
		}
		return vending.ErrNoProduct
	case err != nil:
		return err
	case key == "return":
		return s.operator.Withdraw(ctx, session.ID)
	case key == "done":
		return s.operator.Complete(ctx, session.ID)
	default:
		return s.operator.Select(ctx, session.ID, len(session.Items)+1, key)
	}
}
