package vending

import "testing"

func TestMachineOf(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		"oslo12-aaaaabbbbbccc":    "oslo12",
		"oslo12-aaaaabbbbbccc-v1": "oslo12",
		"oslo12-vu3vzytdfyi2c":    "oslo12", // as random as any other
		"oslo12-vu3vzytdfyi2c-v2": "oslo12",
		"a-v1-aaaaabbbbbccc-v12":  "a-v1",
		"oslo12":                  "",
		"oslo12-v1":               "",
		"":                        "",
		"-aaaaabbbbbccc":          "",
		"webshop-000000001":       "",
	} {
		if got := MachineOf(id); got != want {
			t.Errorf("MachineOf(%q) = %q, want %q", id, got, want)
		}
	}
}
