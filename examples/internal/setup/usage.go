package setup

import (
	"flag"
	"fmt"
)

// Usage has -h say what a program does, how it is started and which flags there are. The path that package flag prints is that
// of what go run has built, which nobody can type. Arguments are what follows the flags; empty if nothing does.
func Usage(flags *flag.FlagSet, program, arguments, does string) {
	flags.Usage = func() {
		w := flags.Output()
		start := "go run ./examples/" + program + " [flags]"
		if arguments != "" {
			start += " " + arguments
		}
		_, _ = fmt.Fprintf(w, "%s\n\n\t%s\n\n", does, start) // as package flag does with its own
		flags.PrintDefaults()
	}
}
