package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
)

func postgresDurable(ctx context.Context, conn *sql.Conn) error {
	for _, setting := range []struct {
		name, bad string
		err       error
		advice    string
	}{
		{"fsync", "off", ErrNotDurable, "set fsync = on in postgresql.conf and restart the server"},
		{"full_page_writes", "off", ErrNotDurable, "set full_page_writes = on in postgresql.conf"},
		{"synchronous_commit", "off", ErrNotDurable, "remove it from the connection string, ALTER ROLE, ALTER DATABASE or postgresql.conf, or set it to on"},
		{"transaction_read_only", "on", ErrReadOnly, "default_transaction_read_only, or a standby"},
	} {
		var value string
		if err := conn.QueryRowContext(ctx, "SELECT current_setting($1)", setting.name).Scan(&value); err != nil {
			return err
		}
		if value == setting.bad {
			return fmt.Errorf("%w: %s is %s: %s", setting.err, setting.name, value, setting.advice)
		}
	}
	return nil
}
