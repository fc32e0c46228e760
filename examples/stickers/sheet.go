package main

import (
	_ "embed"
	"html/template"
	"os"
	"path/filepath"
)

//go:embed sheet.html
var page string

var printed = template.Must(template.New("sheet").Parse(page))

// sheet is what is printed. It loads nothing from elsewhere.
type sheet struct {
	Title    string
	Pretend  bool
	Stickers []*row
}

// write replaces the file when the sheet is complete.
func write(name string, s sheet) (err error) {
	file, err := os.CreateTemp(filepath.Dir(name), ".stickers-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(file.Name()) // the error says more
		}
	}()
	if err := printed.Execute(file, s); err != nil {
		_ = file.Close() // the error says more
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	return os.Rename(file.Name(), name)
}
