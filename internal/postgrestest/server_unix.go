//go:build unix

package postgrestest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// server is a throwaway cluster in a folder of its own.
type server struct {
	url   string
	keep  io.Closer // the server runs until this is closed, by whatever end of the process
	shell *exec.Cmd
}

// script makes a cluster, says "ready", and removes everything when its input ends: that is when the test process has, even
// if it was killed.
const script = `
bin=$1 dir=$2
end() { "$bin/pg_ctl" -D "$dir/data" -m immediate -w stop >>"$dir/log" 2>&1; rm -rf "$dir"; }
"$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C >"$dir/log" 2>&1 &&
"$bin/pg_ctl" -D "$dir/data" -l "$dir/log" -w -o "-c port=5432 -c listen_addresses= -c unix_socket_directories=$dir -c max_connections=200" start >>"$dir/log" 2>&1 </dev/null ||
{ tail -n 20 "$dir/log"; end; exit 1; }
echo ready
cat >/dev/null
end
`

func start() (*server, error) {
	programs, err := programs()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "pg") // short: the name of a socket has at most 107 characters
	if err != nil {
		return nil, err
	}
	shell := exec.Command("sh", "-c", script, "sh", programs, dir) //nolint:gosec,noctx // paths of this computer; it ends with its input
	shell.Dir = dir
	shell.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"} // not what the environment says of another server
	shell.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}       // an interrupt from the keyboard is not for it
	if err := unprivileged(shell, dir); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	keep, err := shell.StdinPipe()
	if err != nil {
		return nil, err
	}
	said, err := shell.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := shell.Start(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	output := bufio.NewReader(said)
	if line, _ := output.ReadString('\n'); line != "ready\n" { // its end is what counts
		rest, _ := io.ReadAll(output)
		return nil, fmt.Errorf("%s/initdb: %w: %s%s", programs, shell.Wait(), line, rest)
	}
	return &server{url: "postgres:///postgres?user=postgres&port=5432&host=" + dir, keep: keep, shell: shell}, nil
}

func (s *server) stop() {
	_ = s.keep.Close()
	_ = s.shell.Wait()
}

// programs is the folder of initdb, pg_ctl and postgres. Debian keeps it away from PATH.
func programs() (string, error) {
	if found, err := exec.LookPath("initdb"); err == nil {
		if found, err = filepath.EvalSymlinks(found); err == nil {
			return filepath.Dir(found), nil
		}
	}
	var all []string
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin/initdb", "/usr/pgsql-*/bin/initdb"} {
		found, _ := filepath.Glob(pattern) // the patterns are good
		all = append(all, found...)
	}
	if len(all) == 0 {
		return "", errors.New("initdb is not installed (Debian: apt-get install postgresql)")
	}
	newest := slices.MaxFunc(all, func(a, b string) int { return number(a) - number(b) })
	return filepath.Dir(newest), nil
}

// number is the first number in a path.
func number(path string) int {
	digits := strings.FieldsFunc(path, func(r rune) bool { return r < '0' || r > '9' })
	if len(digits) == 0 {
		return 0
	}
	n, _ := strconv.Atoi(digits[0]) // they are digits
	return n
}

// unprivileged makes a command run as somebody else than root, who may not run PostgreSQL.
func unprivileged(command *exec.Cmd, dir string) error {
	if os.Getuid() != 0 {
		return nil
	}
	other, err := user.Lookup("postgres")
	if err != nil {
		if other, err = user.Lookup("nobody"); err != nil {
			return err
		}
	}
	uid, err := strconv.ParseUint(other.Uid, 10, 32)
	if err != nil {
		return err
	}
	gid, err := strconv.ParseUint(other.Gid, 10, 32)
	if err != nil {
		return err
	}
	command.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return os.Chown(dir, int(uid), int(gid))
}
