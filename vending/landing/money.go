package landing

import (
	"strconv"
	"strings"

	"github.com/vippsvending/vipps"
)

// Format is how a language writes amounts of a currency. The script of the pages writes sums by it too.
type Format struct {
	// Pattern has a # where the number goes: "# kr".
	Pattern string
	// Decimal and Group are what is written before the decimals and between thousands.
	Decimal, Group string
}

const space = "\u00a0" // that no line is broken at

func formatOf(language string, currency vipps.Currency) Format {
	f := Format{Pattern: "#" + space + string(currency), Decimal: ",", Group: space}
	switch {
	case currency == vipps.EUR && language == "en":
		f.Pattern = "€#"
	case currency == vipps.EUR:
		f.Pattern = "#" + space + "€"
	case currency == vipps.NOK && language == "nb", currency == vipps.DKK && language == "da": // elsewhere it could be anybody's
		f.Pattern = "#" + space + "kr"
	}
	switch language {
	case "en":
		f.Decimal, f.Group = ".", ","
	case "da":
		f.Group = "."
	}
	return f
}

// Write writes an amount of minor units.
func (f Format) Write(value int64) string {
	digits, minus := strconv.FormatInt(value, 10), ""
	if value < 0 {
		digits, minus = digits[1:], "−"
	}
	if len(digits) < 3 {
		digits = strings.Repeat("0", 3-len(digits)) + digits
	}
	whole, decimals := digits[:len(digits)-2], digits[len(digits)-2:]
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + f.Group + whole[i:]
	}
	return minus + strings.Replace(f.Pattern, "#", whole+f.Decimal+decimals, 1)
}
