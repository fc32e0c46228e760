package main

import (
	"fmt"
	"slices"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/vending"
)

// booksView is the audit of everything since the start: the motor's counter against Vipps MobilePay's books.
type booksView struct {
	Words string     `json:"words"`
	Tone  string     `json:"tone"`
	Desk  []deskView `json:"desk"` // sales that a person has to look at
}

// deskView is a sale on the desk.
type deskView struct {
	ID    string `json:"id"`
	Door  string `json:"door"`
	Words string `json:"words"`
}

// books adds up. The lock is held.
func (p *playground) books() booksView {
	var charged, worth, explained int64
	open, products, desk := 0, 0, []deskView{}
	for _, id := range p.order {
		s := p.sales[id]
		m := p.money(s)
		charged += m.Captured
		dropped := int64(0)
		for _, d := range p.motor.dropped(id) {
			dropped += d.Price
			products++
		}
		worth += dropped
		switch {
		case s.State != vending.Closed || m.Reserved != 0:
			open++
		case p.explained(s):
			explained += m.Captured - dropped
			if s.Outcome.NeedsPerson() {
				desk = append(desk, deskView{id, doorOf(s.Machine).Label, s.words()})
			}
		}
	}
	v := booksView{Desk: desk, Tone: "good"}
	amount := func(value int64) string { return vipps.Amount{Value: value, Currency: p.told.Currency}.String() }
	v.Words = fmt.Sprintf("%s, %s, %s charged", count(len(p.order), "customer"), count(products, "product"), amount(charged))
	switch {
	case len(p.order) == 0:
		v.Words, v.Tone = "No customers yet", "none"
	case open > 0:
		v.Words += fmt.Sprintf(", %d not at rest", open)
		v.Tone = "busy"
	case charged-worth != explained:
		v.Words += ": the books do not balance"
		v.Tone = "bad"
	default:
		v.Words += ", all at rest"
	}
	return v
}

// explained says that a difference between what dropped and what was captured is known: it is on the desk, or comes from it.
func (p *playground) explained(s *sale) bool {
	return s.Outcome.NeedsPerson() || s.Outcome.Returned > 0 || slices.Contains(p.faults.of(s.ID), "resolved")
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
