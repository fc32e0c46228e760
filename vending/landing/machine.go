package landing

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"

	"github.com/vippsvending/vipps/vending"
)

// Order is what a customer sees before they pay.
type Order struct {
	// Visit makes pressing pay twice the same as once. The form sends it back.
	Visit string
	// Planogram is the version of the price list. The form sends it back.
	Planogram string
	Products  []Line
	// Total is in minor units: the price of what is chosen, or what will be reserved if Maximum is set. The form sends it
	// back: what the customer has not seen is not charged.
	Total int64
	// Review says that only what was chosen is shown, to be confirmed.
	Review bool
	// Maximum says that the customer chooses on the machine afterwards, up to Items products.
	Maximum bool
	Items   int
	// Age is the highest age limit of what is chosen, in years; 0 is none.
	Age int
}

// Line is one product of an order.
type Line struct {
	Slot, Name string
	Price      int64 // in minor units
	Quantity   int
	// MinimumAge is in years; 0 is everybody.
	MinimumAge int
	SoldOut    bool
}

// sum counts the order up.
func (o *Order) sum() {
	o.Total, o.Age = 0, 0
	for _, line := range o.Products {
		o.Total += line.Price * int64(line.Quantity)
		if line.Quantity > 0 {
			o.Age = max(o.Age, line.MinimumAge)
		}
	}
}

// machine finds what the pages need to know of a machine, or answers that there is none.
func (s *Site) machine(w http.ResponseWriter, r *http.Request) (Machine, string, bool) {
	name := r.PathValue("machine")
	if !isMachine.MatchString(name) {
		s.refuse(w, r, Machine{}, "", noMachine)
		return Machine{}, "", false
	}
	machine, err := s.config.Machine(r.Context(), name)
	if err != nil {
		s.fail(w, r, Machine{}, name, err)
		return Machine{}, "", false
	}
	if machine.Door == "" {
		machine.Door = vending.SiteSelection
	}
	return machine, name, true
}

// showMachine shows what can be bought. It opens nothing: previews and prefetches ask for it too.
func (s *Site) showMachine(w http.ResponseWriter, r *http.Request) {
	machine, name, ok := s.machine(w, r)
	if !ok {
		return
	}
	if token := s.ownSession(r, name); token != "" && !r.URL.Query().Has("again") {
		s.toStatus(w, r, token)
		return
	}
	if err := s.config.Operator.Ready(r.Context(), name); err != nil {
		s.logTrouble(r.Context(), "the machine cannot sell", name, err)
		s.refuse(w, r, machine, name, outOfService)
		return
	}
	s.offer(w, r, http.StatusOK, machine, name, basket{}, "")
}

// tidy leads from an address with a slash at its end to the machine's.
func (s *Site) tidy(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("machine")
	if !isMachine.MatchString(name) {
		s.nowhere(w, r)
		return
	}
	http.Redirect(w, r, inLanguage(r, s.config.Path+"/"+name), http.StatusSeeOther)
}

// nowhere answers for an address that nothing leads to.
func (s *Site) nowhere(w http.ResponseWriter, r *http.Request) {
	s.refuse(w, r, Machine{}, "", noMachine)
}

// offer shows the page of a machine's door, with what was chosen so far and a notice.
func (s *Site) offer(w http.ResponseWriter, r *http.Request, status int, machine Machine, name string, chosen basket, notice string) {
	page := s.newPage(r, machine, name)
	if notice != "" {
		page.Notice = page.Text(notice, page.Brand)
	}
	page.Order = &Order{Visit: chosen.visit, Items: max(machine.Items, 1)}
	if page.Order.Visit == "" {
		page.Order.Visit = rand.Text()
	}
	var err error
	var template string
	switch machine.Door {
	case vending.SiteSelection:
		template, err = "products.html", s.offerProducts(r.Context(), page, name, chosen)
	case vending.SitePayment:
		template = "payment.html"
		s.offerPayment(page, name)
	case vending.StaticQR:
		template, err = "reserve.html", s.offerReservation(r.Context(), page, machine, name)
	case vending.DynamicQR, vending.CheckIn, vending.Till:
		fallthrough
	default:
		err = fmt.Errorf("Machine.Door: %q has no page", machine.Door)
	}
	if err != nil {
		s.fail(w, r, machine, name, err)
		return
	}
	s.write(w, r, status, template, page)
}

// offerProducts is the price list, with what was chosen from it so far.
func (s *Site) offerProducts(ctx context.Context, page *Page, name string, chosen basket) error {
	planogram, err := s.config.Operator.Planogram(ctx, name)
	if err != nil {
		return err
	}
	page.Title = page.Text("products.title")
	page.Order.Planogram, page.Order.Review = planogram.Version, chosen.review
	for _, product := range planogram.Products {
		line := lineOf(product)
		if !product.SoldOut {
			line.Quantity = chosen.quantity(product.Slot)
		}
		if line.Quantity > 0 || !chosen.review {
			page.Order.Products = append(page.Order.Products, line)
		}
	}
	if chosen.review {
		page.Title = page.Text("review.title")
	}
	page.Order.sum()
	return nil
}

// offerPayment is what was chosen on the machine.
func (s *Site) offerPayment(page *Page, name string) {
	products, ok := s.config.Operator.Selection(name)
	page.Title = page.Text("payment.title")
	if !ok {
		page.Title = page.Text("choose.title")
		page.Refresh = refreshTime
	}
	page.Order.fill(products)
	s.followed(page, name, products)
}

// offerReservation is the maximum, or what was chosen on the machine before the scan.
func (s *Site) offerReservation(ctx context.Context, page *Page, machine Machine, name string) error {
	quote, err := s.config.Operator.QuoteStaticQR(ctx, vending.StaticQROrder{Machine: name, Items: machine.Items, MinimumUserAge: machine.MinimumUserAge})
	if err != nil {
		return err
	}
	page.Title = page.Text("payment.title")
	page.Order.Maximum = quote.Maximum
	if quote.Maximum {
		page.Title = page.Text("reserve.title")
	}
	page.Order.fill(quote.Products)
	page.Order.Total, page.Order.Age = quote.Amount.Value, max(page.Order.Age, machine.MinimumUserAge)
	s.followed(page, name, quote.Products)
	return nil
}

// fill puts products into an order, as they were chosen: the same one may be there twice.
func (o *Order) fill(products []vending.Product) {
	for _, product := range products {
		line := lineOf(product)
		line.Quantity = 1
		o.Products = append(o.Products, line)
	}
	o.sum()
}

func lineOf(p vending.Product) Line {
	return Line{Slot: p.Slot, Name: p.Name, Price: p.Price, MinimumAge: p.MinimumAge, SoldOut: p.SoldOut}
}

// followed has a page fetched again when something else is chosen on the machine.
func (s *Site) followed(page *Page, name string, products []vending.Product) {
	page.Live, page.Version = s.config.Path+"/live/"+name, selectionVersion(products)
}

// selectionVersion changes with what is chosen on a machine.
func selectionVersion(products []vending.Product) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%v", products))
	return hex.EncodeToString(sum[:8])
}

// refreshTime is how often a page that changes is fetched again without a script, in seconds.
const refreshTime = 4

// hasPage says whether customers reach a door through a page of this site.
func hasPage(door vending.Door) bool {
	return door == vending.SiteSelection || door == vending.SitePayment || door == vending.StaticQR
}
