package main

import (
	"encoding/json"
	"slices"

	"github.com/vippsvending/vipps/vending"
)

// phoneView is what the customer's phone shows.
type phoneView struct {
	View    string        `json:"view"`
	Page    string        `json:"page"`
	Turn    int           `json:"turn"`
	Says    string        `json:"says"`
	Waiting bool          `json:"waiting"`
	Payment *paymentView  `json:"payment"`
	Mine    []paymentView `json:"mine"`
	Own     string        `json:"own"` // a mark of the customer's own code, where it is asked for
}

// paymentView is a payment as the app shows it.
type paymentView struct {
	ID       string     `json:"id"`
	Text     string     `json:"text"`
	Amount   int64      `json:"amount"`
	Currency string     `json:"currency"`
	Open     bool       `json:"open"` // it waits for the customer
	Maximum  bool       `json:"maximum"`
	State    string     `json:"state"`
	Money    moneyView  `json:"money"`
	Lines    []lineView `json:"lines"`
}

type lineView struct {
	Name  string `json:"name"`
	Total int64  `json:"total"`
	Tax   int64  `json:"tax"`
}

// keepMine is how many payments the app lists.
const keepMine = 12

func (p *playground) phoneView() phoneView {
	f := p.phone
	v := phoneView{View: f.view, Page: f.page, Turn: f.turn, Says: f.says, Waiting: f.waiting, Mine: []paymentView{}}
	if v.View == "" {
		v.View = "home"
	}
	if p.emulator == nil {
		v.View = "real"
		return v
	}
	if p.door.Door == vending.Till {
		v.Own = mark(p.code["own"])
	}
	if s, ok := p.sales[f.payment]; ok && f.payment != "" {
		payment := p.paymentView(s)
		v.Payment = &payment
	}
	if v.Payment == nil && (v.View == "request" || v.View == "payment") {
		v.View = "home"
	}
	if v.View == "mine" {
		for _, id := range slices.Backward(p.order) {
			if s := p.sales[id]; s.Seen.Authorized > 0 && len(v.Mine) < keepMine {
				v.Mine = append(v.Mine, p.paymentView(s))
			}
		}
	}
	return v
}

// paymentView is what Vipps MobilePay knows of a payment. Whether it is a maximum it reads from the description.
func (p *playground) paymentView(s *sale) paymentView {
	payment, _ := p.emulator.Payment(s.ID)
	v := paymentView{
		ID: s.ID, Text: payment.Description, Amount: payment.Amount, Currency: payment.Currency, Open: payment.State == "CREATED",
		Maximum: s.Maximum, Money: p.money(s), Lines: []lineView{}, State: "Ended, nothing reserved",
	}
	switch m := v.Money; {
	case v.Open:
		v.State = "Waiting for you"
	case m.Refunded > 0 && m.Captured == 0:
		v.State = "Refunded"
	case m.Captured > 0:
		v.State = "Paid"
	case m.Reserved > 0:
		v.State = "Reserved"
	case m.Total > 0:
		v.State = "Released, nothing charged"
	}
	if v.Money.Captured == 0 && v.Money.Refunded == 0 {
		return v
	}
	var receipt struct {
		OrderLines []struct {
			Name           string `json:"name"`
			TotalAmount    int64  `json:"totalAmount"`
			TotalTaxAmount int64  `json:"totalTaxAmount"`
		} `json:"orderLines"`
	}
	document, ok := p.emulator.Receipt(payment.MSN + "/" + s.ID)
	if !ok {
		document, ok = p.emulator.Receipt(s.ID)
	}
	if !ok || json.Unmarshal(document, &receipt) != nil {
		return v
	}
	for _, line := range receipt.OrderLines {
		v.Lines = append(v.Lines, lineView{line.Name, line.TotalAmount, line.TotalTaxAmount})
	}
	return v
}
