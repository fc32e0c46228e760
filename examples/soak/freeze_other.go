//go:build !unix

package main

import (
	"errors"
	"os"
)

func freeze(*os.Process, bool) error { return errors.ErrUnsupported }
