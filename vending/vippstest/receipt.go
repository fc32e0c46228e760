package vippstest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
)

func orderRoutes() []route {
	const root = "/order-management"
	const order = root + "/v2/{paymentType}"
	routes := []route{
		{
			op: "receipt", method: http.MethodPost, pattern: order + "/receipts/{reference}", body: requiredBody,
			handle: (*Server).postReceipt,
		},
		{
			op: "category", method: http.MethodPut, pattern: order + "/categories/{reference}", body: requiredBody,
			handle: (*Server).putCategory,
		},
		{op: "order", method: http.MethodGet, pattern: order + "/{reference}", handle: (*Server).getOrder},
		{
			op: "image", method: http.MethodPost, pattern: root + "/v1/images", slash: true, subject: "imageId", body: requiredBody,
			most: maxImageBody, handle: (*Server).postImage,
		},
		{
			op: "category-add", method: http.MethodPost, pattern: root + "/v3/categories", subject: "orderId", body: requiredBody,
			handle: (*Server).addCategory,
		},
		{op: "category-list", method: http.MethodGet, pattern: root + "/v3/categories", handle: (*Server).listCategories},
		{op: "category-get", method: http.MethodGet, pattern: root + "/v3/categories/{id}", handle: (*Server).getCategory},
		{op: "category-delete", method: http.MethodDelete, pattern: root + "/v3/categories/{id}", handle: (*Server).deleteCategory},
	}
	for i := range routes {
		routes[i].msn, routes[i].bare, routes[i].refuse = msnRequired, true, refuseParams
	}
	return routes
}

// orderID is what Order Management keeps something for. It need not be a payment, and nobody looks whether it is.
type orderID struct{ msn, paymentType, id string }

// orderDetails are what was told about an order.
type orderDetails struct {
	created    json.RawMessage // the receipt in create
	posted     json.RawMessage // the receipt that was posted
	category   json.RawMessage // of version 2
	categoryID string
}

var (
	orderIDPattern = regexp.MustCompile(`^[0-9A-Za-z\-_.]+$`)
	imageIDPattern = regexp.MustCompile(`^[0-9A-Za-z\-_.]+$`)
)

// orderOf is the order that a path names. Payment types are written in either case.
func (c *call) orderOf(check *check) orderID {
	id := orderID{c.msn, strings.ToUpper(c.paymentType), c.reference}
	if id.paymentType != "ECOM" && id.paymentType != "RECURRING" {
		check.wrong("paymentType", "The value '%s' is not valid.", c.paymentType)
	}
	if !orderIDPattern.MatchString(id.id) {
		check.wrong("orderId", "The field OrderId must match the regular expression '%s'.", orderIDPattern)
	}
	return id
}

func (s *Server) detailsOf(id orderID) *orderDetails {
	if s.orders[id] == nil {
		s.orders[id] = &orderDetails{}
	}
	return s.orders[id]
}

// keepReceipt is the receipt of a payment that was created with one. It is never replaced.
func (s *Server) keepReceipt(c *call, p *payment) {
	var fields map[string]json.RawMessage
	if !p.order.receipt.has() || json.Unmarshal(c.body, &fields) != nil {
		return
	}
	d := s.detailsOf(orderID{p.MSN, "ECOM", p.Reference})
	d.created = fields["receipt"]
}

// receipt is the one that counts: what was posted tells more than what was known at the beginning.
func (d *orderDetails) receipt() json.RawMessage {
	if d.posted != nil {
		return d.posted
	}
	return d.created
}

func (s *Server) postReceipt(c *call) reply {
	check := &check{lenient: s.options.LenientFields}
	id := c.orderOf(check)
	receiptRule(check, "", c.parsed)
	if r, ok := check.verdict(); !ok {
		return c.route.refuse(c, r)
	}
	d := s.detailsOf(id)
	if d.posted != nil || d.created != nil && !s.options.Switches.ReceiptSlotSeparate {
		return c.route.refuse(c, refusal{status: http.StatusConflict, detail: "The order already has a receipt."})
	}
	d.posted = bytes.Clone(c.body)
	return answer(http.StatusCreated, typeJSON, newID())
}

func (s *Server) getOrder(c *call) reply {
	d := s.orders[c.orderOf(&check{})]
	if d == nil || d.receipt() == nil && d.category == nil {
		return c.route.refuse(c, refusal{status: http.StatusNotFound, detail: "Nothing is known about the order."})
	}
	return answer(http.StatusOK, typeJSON, struct {
		Category json.RawMessage `json:"category,omitempty"`
		Receipt  json.RawMessage `json:"receipt,omitempty"`
	}{d.category, d.receipt()})
}

// Receipt is the receipt of an order, from create or posted, as it was sent. An order of recurring payments is not meant.
func (s *Server) Receipt(reference string) (json.RawMessage, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runDue()
	msn, id, ok := strings.Cut(reference, "/")
	if !ok {
		msn, id = s.credentials.MerchantSerialNumber, reference
		if p, err := s.find(reference); err == nil {
			msn = p.MSN
		}
	}
	d := s.orders[orderID{msn, "ECOM", id}]
	if d == nil || d.receipt() == nil {
		return nil, false
	}
	return bytes.Clone(d.receipt()), true
}
