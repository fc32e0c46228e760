package main

import (
	"github.com/vippsvending/vipps/vending"
)

// full is how many of a product fit into a slot.
const full = 6

// catalog is what the machine sells, row by row. The page draws each product by the name of its shape.
var catalog = []struct {
	vending.Product
	Shape string
}{
	{vending.Product{Name: "Cola", Slot: "A1", Price: 2500, TaxRate: 1500}, "can"},
	{vending.Product{Name: "Lemon soda", Slot: "A2", Price: 2400, TaxRate: 1500}, "can"},
	{vending.Product{Name: "Orange juice", Slot: "A3", Price: 3400, TaxRate: 1500}, "bottle"},
	{vending.Product{Name: "Water", Slot: "B1", Price: 1900, TaxRate: 1500}, "bottle"},
	{vending.Product{Name: "Iced tea", Slot: "B2", Price: 2900, TaxRate: 1500}, "bottle"},
	{vending.Product{Name: "Fruit yoghurt", Slot: "B3", Price: 2800, TaxRate: 1500}, "cup"},
	{vending.Product{Name: "Paprika chips", Slot: "C1", Price: 3200, TaxRate: 1500}, "bag"},
	{vending.Product{Name: "Salted nuts", Slot: "C2", Price: 3000, TaxRate: 1500}, "bag"},
	{vending.Product{Name: "Cookies", Slot: "C3", Price: 2600, TaxRate: 1500}, "box"},
	{vending.Product{Name: "Milk chocolate", Slot: "D1", Price: 2700, TaxRate: 1500}, "bar"},
	{vending.Product{Name: "Oat bar", Slot: "D2", Price: 2200, TaxRate: 1500}, "bar"},
	{vending.Product{Name: "Cheese sandwich", Slot: "D3", Price: 4500, TaxRate: 1500}, "sandwich"},
}

// product finds what is in a slot.
func product(slot string) (vending.Product, bool) {
	for _, p := range catalog {
		if p.Slot == slot {
			return p.Product, true
		}
	}
	return vending.Product{}, false
}

// door is one of the ways in which a customer comes in. Each has a machine of its own name, so that none waits for another;
// they share the shelf and the motor.
type door struct {
	ID, Label, Line string
	Machine         string
	Door            vending.Door
	// Sticker says that the code is printed on the machine.
	Sticker bool
}

var doors = []door{
	{"dynamic", "Dynamic QR", "Choose, and scan the code on the screen.", "dynamic", vending.DynamicQR, false},
	{"selection", "Site, choose there", "Scan, then choose and pay on the page.", "selection", vending.SiteSelection, true},
	{"payment", "Site, pay there", "Choose here, then scan and pay on the page.", "payment", vending.SitePayment, true},
	{"maximum", "Static QR", "Scan, approve a maximum, then choose here.", "maximum", vending.StaticQR, true},
	{"callback", "Callback code", "Scan with the app, approve, then choose here.", "callback", vending.CheckIn, true},
	{"till", "Till", "Choose, then show the phone’s code.", "till", vending.Till, false},
}

func doorNamed(id string) (door, bool) {
	for _, d := range doors {
		if d.ID == id {
			return d, true
		}
	}
	return door{}, false
}

// doorOf finds the door of a machine.
func doorOf(machine string) door {
	for _, d := range doors {
		if d.Machine == machine {
			return d
		}
	}
	return door{}
}
