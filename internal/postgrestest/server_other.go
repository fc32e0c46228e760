//go:build !unix

package postgrestest

import "errors"

type server struct{ url string }

func start() (*server, error) {
	return nil, errors.New("a throwaway server needs a Unix; name a server instead")
}

func (*server) stop() {}
