// Ops is the operator's desk in the terminal: what a person has to look at, what happened to a customer, and what can be done
// about it. It makes a day's sales first, against an emulator in this process: one that went well and one to be refunded, a
// jam, two machines that fell silent, a capture that was refused, one that somebody made by hand, and a customer who has not
// approved yet.
//
//	go run ./examples/ops                              # commands from standard input; help lists them
//	go run ./examples/ops -- list                      # one command
//	go run ./examples/ops -c "list; show oslo-4"       # several; the exit code is 1 if one of them failed
//	go run ./examples/ops -c "resolve oslo-5-v1 dropped; refund oslo-2 the bun was stale; all"
//	go run ./examples/ops -db f.db -- list             # of a database that another example has sold with
//
// Ids may be cut short, as far as they stay unique: in this history a machine's name says which session is meant.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/vippsvending/vipps/examples/internal/database"
	"github.com/vippsvending/vipps/examples/internal/setup"
)

const purpose = `The operator's desk: what needs a person, what happened to a customer, and what can be done about it. Commands come from
standard input, from -c, or one of them from behind the flags, such as "-- list":

` + help

func main() {
	script := flag.String("c", "", "commands, with semicolons between them, instead of those from standard input")
	db := flag.String("db", "", database.Usage+", and a history that is made first")
	setup.Usage(flag.CommandLine, "ops", "[-- command]", purpose)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *db, *script, strings.Join(flag.Args(), " ")); err != nil {
		fmt.Fprintln(os.Stderr, "ops:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, db, script, command string) error {
	if script != "" && command != "" {
		return errors.New("-c and a command behind the flags exclude each other")
	}
	server, err := setup.New("ops", nil)
	if err != nil {
		return err
	}
	defer server.Close()
	if server.Emulator == nil && db == "" {
		return errors.New("the history is made with the emulator in this process: leave all VIPPS_ variables out")
	}
	kept, err := database.Open(ctx, db)
	if err != nil {
		return err
	}
	defer kept.Close()
	d, err := open(server, kept)
	if err != nil {
		return err
	}
	if !kept.Durable() {
		err = history(ctx, server, d)
	}
	if err != nil {
		return err
	}
	defer database.Run(ctx, d.operator)() // what a person decides is done
	if commands := script + command; commands != "" {
		return d.script(ctx, strings.Split(commands, ";"))
	}
	d.converse(ctx, os.Stdin)
	return nil
}

// script obeys commands. One that fails does not stop those after it.
func (d *desk) script(ctx context.Context, commands []string) error {
	failed := 0
	for _, line := range commands {
		quit, err := d.obey(ctx, line)
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", strings.TrimSpace(line), err)
			failed++
		}
		if quit {
			break
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of the commands failed", failed)
	}
	return nil
}

// converse obeys what somebody types, until there is no more.
func (d *desk) converse(ctx context.Context, input io.Reader) {
	lines := make(chan string)
	go func() {
		defer close(lines)
		for typed := bufio.NewScanner(input); typed.Scan(); {
			lines <- typed.Text()
		}
	}()
	fmt.Println("ready; help lists the commands")
	for {
		select {
		case line, more := <-lines:
			if !more {
				return
			}
			quit, err := d.obey(ctx, line)
			if err != nil {
				fmt.Println("error:", err)
			}
			if quit {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}
