// Stickers makes the codes of a fleet of machines and a sheet to print them from. Codes that exist are left alone, so it may
// run for the whole fleet whenever a machine is added or moved: what is printed already stays good.
//
//	go run ./examples/stickers                                  # two machines and an emulator in this process
//	go run ./examples/stickers -kind redirect -page 'https://shop.example/m/{id}' machines.csv
//
// The file has a line for each machine, its id and its location, with a comma or a semicolon between them:
//
//	oslo-12,Hall B
//
// A callback code checks its customer in with the webhook user.checked-in.v1, a redirect code opens a page. Lines that are
// wrong are told with their numbers and do not stop the others; the exit code is 1 then.
package main

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/examples/internal/setup"
	"github.com/vippsvending/vipps/qr"
	"github.com/vippsvending/vipps/webhooks"
)

//go:embed sample.csv
var sample string

// choices are the flags.
type choices struct{ kind, page, out, file string }

func (c choices) validate() error {
	switch {
	case c.kind != "callback" && c.kind != "redirect":
		return errors.New("-kind: must be callback or redirect")
	case c.kind == "callback" && c.page != "":
		return errors.New("-page: is for -kind redirect only")
	case c.kind == "redirect" && (!strings.HasPrefix(c.page, "https://") || !strings.Contains(c.page, placeholder)):
		return errors.New("-page: must be an https address with {id} where the machine's id belongs")
	}
	return nil
}

const purpose = `Makes the codes of a fleet of machines and a sheet to print them from. The file has a line for each machine, its id and its
location with a comma or a semicolon between them:

	oslo-12,Hall B

Without a file there are two machines. Without VIPPS_ variables it uses an emulator in this process.`

func main() {
	var c choices
	flag.StringVar(&c.kind, "kind", "callback", "callback or redirect")
	flag.StringVar(&c.page, "page", "", "page that a redirect code opens, such as https://shop.example/m/{id}")
	flag.StringVar(&c.out, "out", "stickers.html", "file for the sheet, which is replaced")
	setup.Usage(flag.CommandLine, "stickers", "[file]", purpose)
	flag.Parse()
	c.file = flag.Arg(0)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, c, flag.NArg()); err != nil {
		fmt.Fprintln(os.Stderr, "stickers:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, c choices, files int) error {
	if files > 1 {
		return errors.New("there is more than one file, or a flag behind it")
	}
	if err := c.validate(); err != nil {
		return err
	}
	var list io.Reader = strings.NewReader(sample)
	if files == 1 {
		file, err := os.Open(c.file)
		if err != nil {
			return err
		}
		defer func() { _ = file.Close() }() // only read
		list = file
	}
	server, err := setup.New("stickers", nil)
	if err != nil {
		return err
	}
	defer server.Close()
	fmt.Println("using", server.Where)
	rows, err := read(list)
	if err != nil {
		return err
	}
	ensure(ctx, qr.New(server.Client), c, rows)
	draw(ctx, server, rows)
	made := slices.DeleteFunc(slices.Clone(rows), func(r *row) bool { return r.err != nil })
	if len(made) > 0 {
		if err := write(c.out, sheet{Title: "Codes of " + server.Where, Pretend: server.Pretend, Stickers: made}); err != nil {
			return err
		}
		fmt.Printf("stickers: %d, ready to print in %s\n", len(made), c.out)
	}
	if c.kind == "callback" {
		warn(ctx, server.Client)
	}
	return report(rows, made)
}

// report says what became of each row and what all of that means.
func report(rows, made []*row) error {
	count := map[qr.Outcome]int{}
	for _, r := range rows {
		if r.err != nil {
			fmt.Fprintf(os.Stderr, "line %d: %s\n", r.line, oneLine(r.err))
			continue
		}
		count[r.outcome]++
		fmt.Printf("%-9s  %s  %s\n", r.outcome, r.ID, r.Location)
	}
	if failed := len(rows) - len(made); failed > 0 {
		return fmt.Errorf("%d of %d machines have no sticker", failed, len(rows))
	}
	if count[qr.Unchanged] == len(rows) {
		fmt.Printf("nothing was changed: all %d codes are as they should be\n", len(rows))
		return nil
	}
	fmt.Printf("codes: %d created, %d updated, %d unchanged\n", count[qr.Created], count[qr.Updated], count[qr.Unchanged])
	return nil
}

// warn says if nobody hears of a scan. A partner's webhook cannot be seen from here.
func warn(ctx context.Context, client *vipps.Client) {
	all, err := webhooks.New(client).List(ctx)
	if err == nil && !slices.ContainsFunc(all, func(r webhooks.Registration) bool { return slices.Contains(r.Events, webhooks.UserCheckedIn) }) {
		fmt.Println("note: this sales unit has no webhook for user.checked-in.v1; without one, who scans is told that the store cannot be reached")
	}
}

func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }
