package vending_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/vippsvending/vipps/vending"
)

// A driver made into a machine that remembers over a restart what it let out.
func ExampleJournaled() {
	dir, err := os.MkdirTemp("", "box") // in the field: a directory that survives the restart, such as /var/lib/acme-vend
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	driver := func(_ context.Context, slot string) error {
		fmt.Println("motor", slot, "turns")
		return nil // dropped; vending.ErrJammed if certainly nothing came out; any other error if nobody knows
	}
	machine, err := vending.Journaled(dir, driver) // for the Machine of a vending.Config
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	command := vending.Command{ID: "oslo12-abcdefghijklm-v1", Slot: "A1", Within: 20 * time.Second}
	fmt.Println(machine.Vend(ctx, command))

	if err := machine.Close(); err != nil { // or the power goes
		log.Fatal(err)
	}
	machine, err = vending.Journaled(dir, driver)
	if err != nil {
		log.Fatal(err)
	}
	defer machine.Close()
	fmt.Println(machine.Vend(ctx, command))
	fmt.Println(machine.Conclude(ctx, "oslo12-bcdefghijklmn-v1")) // never heard of, and from now on never let out
	// Output:
	// motor A1 turns
	// dropped <nil>
	// dropped <nil>
	// not dropped <nil>
}
