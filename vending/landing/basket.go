package landing

import (
	"errors"
	"net/url"
	"strconv"
	"strings"

	"github.com/vippsvending/vipps/vending"
)

const (
	maxLines    = 300        // products of one machine
	maxQuantity = 50         // products of one session
	maxField    = 64         // bytes of a slot, a visit, a version
	maxPrice    = 65_000_000 // the largest payment there is
)

// basket is what a page's form says: what the customer chose, and what they were shown.
type basket struct {
	visit     string
	planogram string
	total     int64
	lines     []chosen
	review    bool
}

// chosen is one product of a basket.
type chosen struct {
	slot     string
	price    int64
	quantity int
}

var errForm = errors.New("the form is not one of this site")

// parseBasket reads a form. A browser that shows our page sends nothing that is refused here. A price list has each slot once;
// on a machine the same product may have been chosen twice.
func parseBasket(form url.Values, list bool) (basket, error) {
	b := basket{visit: form.Get("visit"), planogram: form.Get("planogram")}
	slots, prices, quantities := form["slot"], form["price"], form["quantity"]
	if len(slots) > maxLines || len(slots) != len(prices) || len(slots) != len(quantities) ||
		b.visit == "" || len(b.visit) > maxField || len(b.planogram) > maxField {
		return basket{}, errForm
	}
	var err error
	if b.total, err = parseNumber(form.Get("total"), maxPrice*maxQuantity); err != nil {
		return basket{}, err
	}
	known := map[string]bool{}
	for i, slot := range slots {
		if slot == "" || len(slot) > maxField || list && known[slot] {
			return basket{}, errForm
		}
		known[slot] = true
		price, err := parseNumber(prices[i], maxPrice)
		if err != nil {
			return basket{}, err
		}
		quantity, err := parseNumber(quantities[i], maxQuantity)
		if err != nil {
			return basket{}, err
		}
		b.lines = append(b.lines, chosen{slot, price, int(quantity)})
	}
	return b, nil
}

// parseNumber reads digits; nothing is 0.
func parseNumber(digits string, most int64) (int64, error) {
	if digits = strings.TrimSpace(digits); digits == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(digits, 10, 62)
	if err != nil || n > uint64(most) { //nolint:gosec // never negative
		return 0, errForm
	}
	return int64(n), nil
}

// step takes the press of a button that only changes the basket: "more A1", "less A1", "change". It says whether it was one.
func (b *basket) step(pressed string) bool {
	verb, slot, _ := strings.Cut(pressed, " ")
	for i := range b.lines {
		if line := &b.lines[i]; line.slot == slot {
			switch verb {
			case "more":
				line.quantity = min(line.quantity+1, maxQuantity)
			case "less":
				line.quantity = max(line.quantity-1, 0)
			}
		}
	}
	return verb == "more" || verb == "less" || verb == "change"
}

func (b *basket) quantity(slot string) int {
	for _, line := range b.lines {
		if line.slot == slot {
			return line.quantity
		}
	}
	return 0
}

// count is how many products there are, and sum what the page said they cost.
func (b *basket) count() (count int, sum int64) {
	for _, line := range b.lines {
		count += line.quantity
		sum += line.price * int64(line.quantity)
	}
	return count, sum
}

// shown is what the engine compares with its own prices.
func (b *basket) shown() []vending.Shown {
	var shown []vending.Shown
	for _, line := range b.lines {
		for range line.quantity {
			shown = append(shown, vending.Shown{Slot: line.slot, Price: line.price})
		}
	}
	return shown
}
