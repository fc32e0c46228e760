package vippstest_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vippsvending/vipps/vending/vippstest"
)

func repeat(n int) string { return strings.Repeat("x", n) }

func pairs(n, key, value int) fields {
	m := fields{}
	for i := range n {
		m[strings.Repeat(string(rune('a'+i)), key)] = repeat(value)
	}
	return m
}

func in(d time.Duration) string { return time.Now().Add(d).Format(time.RFC3339) }

// receipt has one line, with changes.
func receipt(changes fields) fields {
	line := fields{
		"name": "Cola", "id": "12", "totalAmount": 2500, "totalAmountExcludingTax": 2000, "totalTaxAmount": 500, "taxRate": 2500,
	}
	for k, v := range changes {
		if v == nil {
			delete(line, k)
		} else {
			line[k] = v
		}
	}
	return fields{"orderLines": []any{line}, "bottomLine": fields{"currency": "NOK", "posId": "oslo12"}}
}

func express(currency string) fields {
	return fields{"fixedOptions": []any{fields{
		"type": "PICKUP_POINT", "brand": "POSTEN",
		"options": []any{
			fields{"id": "a", "name": "A", "amount": fields{"currency": currency, "value": 100}},
			fields{"id": "b", "name": "B", "amount": fields{"currency": currency, "value": 900}, "isDefault": true},
		},
	}}}
}

func TestCreateValidation(t *testing.T) {
	t.Parallel()
	danish := vippstest.Options{Market: "DK"}
	long := vippstest.Options{LongLiving: true}
	dkk := fields{"currency": "DKK", "value": 1}
	push := func(changes fields) fields {
		all := fields{"userFlow": "PUSH_MESSAGE", "returnUrl": nil, "customer": fields{"phoneNumber": "4712345678"}}
		maps.Copy(all, changes)
		return all
	}
	nok := func(v any) fields { return fields{"amount": fields{"currency": "NOK", "value": v}} }
	for name, test := range map[string]struct {
		options vippstest.Options
		changes fields
		want    string // the code, or the field that is malformed; empty is created
	}{
		"nothing wrong":         {},
		"smallest":              {changes: nok(100)},
		"too small":             {changes: nok(99), want: "6010"},
		"zero":                  {changes: nok(0), want: "6010"},
		"largest":               {changes: nok(65_000_000)},
		"too large":             {changes: nok(65_000_001), want: "4040"},
		"negative":              {changes: nok(-1), want: "4040"},
		"decimals":              {changes: nok(25.5), want: "4040"},
		"amount as text":        {changes: nok("2500"), want: "amount.value"},
		"no amount":             {changes: fields{"amount": nil}, want: "amount"},
		"no currency":           {changes: fields{"amount": fields{"value": 100}}, want: "amount.currency"},
		"SEK":                   {changes: fields{"amount": fields{"currency": "SEK", "value": 100}}, want: "amount.currency"},
		"DKK in Norway":         {changes: fields{"amount": dkk}, want: "5040"},
		"DKK in Denmark":        {options: danish, changes: fields{"amount": dkk}},
		"NOK in Denmark":        {options: danish, want: "5040"},
		"EUR in Finland":        {options: vippstest.Options{Market: "FI"}, changes: fields{"amount": fields{"currency": "EUR", "value": 1}}},
		"no reference":          {changes: fields{"reference": nil}, want: "reference"},
		"short reference":       {changes: fields{"reference": "short-1"}, want: "reference"},
		"long reference":        {changes: fields{"reference": repeat(65)}, want: "reference"},
		"longest reference":     {changes: fields{"reference": repeat(64)}},
		"reference with blank":  {changes: fields{"reference": "with blank"}, want: "reference"},
		"reference as number":   {changes: fields{"reference": 12345678}, want: "reference"},
		"unknown field":         {changes: fields{"callbackUrl": "https://x.example"}, want: "callbackUrl"},
		"unknown field inside":  {changes: fields{"customer": fields{"phoneNumber": "4712345678", "x": 1}}, want: "customer.x"},
		"unknown but lenient":   {options: vippstest.Options{LenientFields: true}, changes: fields{"callbackUrl": 1}},
		"no method":             {changes: fields{"paymentMethod": fields{}}, want: "paymentMethod.type"},
		"other method":          {changes: fields{"paymentMethod": fields{"type": "CASH"}}, want: "paymentMethod.type"},
		"passthrough":           {changes: fields{"paymentMethod": fields{"type": "CARD_PASSTHROUGH"}}, want: "4160"},
		"card":                  {changes: fields{"paymentMethod": fields{"type": "CARD"}}},
		"card by QR":            {changes: fields{"paymentMethod": fields{"type": "CARD"}, "userFlow": "QR"}, want: "userFlow"},
		"card with receipt":     {changes: fields{"paymentMethod": fields{"type": "CARD"}, "receipt": receipt(nil)}, want: "receipt"},
		"blocked in Norway":     {changes: fields{"paymentMethod": fields{"type": "WALLET", "blockedSources": []any{"COMMERCIAL_CARDS"}}}, want: "5010"},
		"blocked in Denmark":    {options: danish, changes: fields{"amount": dkk, "paymentMethod": fields{"type": "WALLET", "blockedSources": []any{"COMMERCIAL_CARDS"}}}},
		"other source":          {changes: fields{"paymentMethod": fields{"type": "WALLET", "blockedSources": []any{"X"}}}, want: "paymentMethod.blockedSources[0]"},
		"no flow":               {changes: fields{"userFlow": nil}, want: "userFlow"},
		"other flow":            {changes: fields{"userFlow": "FAX"}, want: "userFlow"},
		"no return":             {changes: fields{"returnUrl": nil}, want: "4140"},
		"no return by QR":       {changes: fields{"returnUrl": nil, "userFlow": "QR"}},
		"return to an app":      {changes: fields{"returnUrl": "myshop://back"}},
		"return over http":      {changes: fields{"returnUrl": "http://shop.example"}, want: "4090"},
		"return to nowhere":     {changes: fields{"returnUrl": "back"}, want: "4090"},
		"return to a script":    {changes: fields{"returnUrl": "javascript:alert(1)"}, want: "4090"},
		"return to loopback":    {options: vippstest.Options{AllowLoopbackHTTP: true}, changes: fields{"returnUrl": "http://127.0.0.1:80/x"}},
		"long return":           {changes: fields{"returnUrl": "https://x.example/" + repeat(2500)}, want: "returnUrl"},
		"push":                  {changes: push(nil)},
		"push to nobody":        {changes: push(fields{"customer": nil}), want: "4140"},
		"push not allowed":      {options: vippstest.Options{NoPush: true}, changes: push(nil), want: "5080"},
		"push to unknown":       {options: vippstest.Options{Customers: []vippstest.Customer{{PhoneNumber: "4712345678", Unknown: true}}}, changes: push(nil), want: "7010"},
		"push to a child":       {options: vippstest.Options{Customers: []vippstest.Customer{{PhoneNumber: "4712345678", Age: 15}}}, changes: push(fields{"minimumUserAge": 16}), want: "7010"},
		"push to a teenager":    {options: vippstest.Options{Customers: []vippstest.Customer{{PhoneNumber: "4712345678", Age: 16}}}, changes: push(fields{"minimumUserAge": 16})},
		"phone with plus":       {changes: push(fields{"customer": fields{"phoneNumber": "+4712345678"}}), want: "4070"},
		"short phone":           {changes: push(fields{"customer": fields{"phoneNumber": "12345678"}}), want: "4070"},
		"Greenland":             {changes: push(fields{"customer": fields{"phoneNumber": "299123456"}})},
		"personal QR":           {changes: push(fields{"customer": fields{"personalQr": "https://qr.vipps.no/p/abc"}})},
		"short personal QR":     {changes: push(fields{"customer": fields{"personalQr": "abcd"}}), want: "4060"},
		"long personal QR":      {changes: push(fields{"customer": fields{"personalQr": repeat(256)}}), want: "4060"},
		"made up token":         {changes: fields{"customer": fields{"customerToken": "abc"}}, want: "4050"},
		"two customers":         {changes: fields{"customer": fields{"phoneNumber": "4712345678", "personalQr": "abcdef"}}, want: "customer"},
		"no customer in it":     {changes: fields{"customer": fields{}}, want: "customer"},
		"present":               {changes: fields{"customerInteraction": "CUSTOMER_PRESENT"}},
		"elsewhere":             {changes: fields{"customerInteraction": "ELSEWHERE"}, want: "customerInteraction"},
		"short description":     {changes: fields{"paymentDescription": "ab"}, want: "paymentDescription"},
		"long description":      {changes: fields{"paymentDescription": repeat(101)}, want: "paymentDescription"},
		"description in runes":  {changes: fields{"paymentDescription": strings.Repeat("ø", 100)}},
		"QR image":              {changes: fields{"userFlow": "QR", "qrFormat": fields{"format": "IMAGE/PNG", "size": 200}}},
		"QR format elsewhere":   {changes: fields{"qrFormat": fields{"format": "IMAGE/PNG"}}, want: "qrFormat"},
		"QR without format":     {changes: fields{"userFlow": "QR", "qrFormat": fields{"size": 200}}, want: "qrFormat.format"},
		"QR other format":       {changes: fields{"userFlow": "QR", "qrFormat": fields{"format": "GIF"}}, want: "qrFormat.format"},
		"QR too small":          {changes: fields{"userFlow": "QR", "qrFormat": fields{"format": "IMAGE/PNG", "size": 99}}, want: "qrFormat.size"},
		"QR size of SVG":        {changes: fields{"userFlow": "QR", "qrFormat": fields{"format": "IMAGE/SVG+XML", "size": 200}}, want: "qrFormat.size"},
		"long living":           {options: long, changes: fields{"expiresAt": in(time.Hour), "receipt": receipt(nil)}},
		"not allowed":           {changes: fields{"expiresAt": in(time.Hour), "receipt": receipt(nil)}, want: "5050"},
		"no receipt":            {options: long, changes: fields{"expiresAt": in(time.Hour)}, want: "6130"},
		"too soon":              {options: long, changes: fields{"expiresAt": in(10 * time.Minute), "receipt": receipt(nil)}, want: "6120"},
		"too late":              {options: long, changes: fields{"expiresAt": in(61 * 24 * time.Hour), "receipt": receipt(nil)}, want: "6110"},
		"no time zone":          {options: long, changes: fields{"expiresAt": "2026-12-31T12:00:00"}, want: "expiresAt"},
		"no such day":           {options: long, changes: fields{"expiresAt": "2026-02-31T12:00:00Z"}, want: "expiresAt"},
		"receipt":               {changes: fields{"receipt": receipt(fields{"unitInfo": fields{"unitPrice": 2500, "quantity": "1"}})}},
		"receipt without lines": {changes: fields{"receipt": fields{"orderLines": []any{}, "bottomLine": fields{"currency": "NOK"}}}, want: "receipt.orderLines"},
		"line without tax rate": {changes: fields{"receipt": receipt(fields{"taxRate": nil})}, want: "receipt.orderLines[0]"},
		"line of less than 0":   {changes: fields{"receipt": receipt(fields{"totalAmount": -1})}, want: "receipt.orderLines[0].totalAmount"},
		"quantity as number":    {changes: fields{"receipt": receipt(fields{"unitInfo": fields{"unitPrice": 1, "quantity": 1}})}, want: "receipt.orderLines[0].unitInfo.quantity"},
		"quantity with comma":   {changes: fields{"receipt": receipt(fields{"unitInfo": fields{"unitPrice": 1, "quantity": "1,5"}})}, want: "receipt.orderLines[0].unitInfo.quantity"},
		"other unit":            {changes: fields{"receipt": receipt(fields{"unitInfo": fields{"unitPrice": 1, "quantity": "1", "quantityUnit": "MILE"}})}, want: "receipt.orderLines[0].unitInfo.quantityUnit"},
		"metadata":              {changes: fields{"metadata": pairs(5, 100, 500)}},
		"much metadata":         {changes: fields{"metadata": pairs(6, 1, 1)}, want: "4100"},
		"long metadata key":     {changes: fields{"metadata": pairs(1, 101, 1)}, want: "4120"},
		"long metadata":         {changes: fields{"metadata": pairs(1, 1, 501)}, want: "4130"},
		"metadata as number":    {changes: fields{"metadata": fields{"a": 1}}, want: "metadata.a"},
		"age":                   {changes: fields{"minimumUserAge": 100}},
		"too old":               {changes: fields{"minimumUserAge": 101}, want: "minimumUserAge"},
		"scope":                 {changes: fields{"profile": fields{"scope": "name address email phoneNumber birthDate"}}},
		"other scope":           {changes: fields{"profile": fields{"scope": "name shoeSize"}}, want: "4080"},
		"illegal scope":         {changes: fields{"profile": fields{"scope": "nin"}}, want: "5030"},
		"legal links":           {changes: fields{"merchantLegalLinks": fields{"termsOfSaleUrl": "https://x.example/t", "privacyPolicyUrl": "https://x.example/p"}}},
		"bad legal link":        {changes: fields{"merchantLegalLinks": fields{"termsOfSaleUrl": "http://x.example"}}, want: "4090"},
		"bad receipt link":      {changes: fields{"receiptUrl": "http://x.example"}, want: "4090"},
		"express":               {changes: fields{"shipping": express("NOK"), "profile": fields{"scope": "address"}}},
		"express not allowed":   {options: vippstest.Options{NoExpress: true}, changes: fields{"shipping": express("NOK"), "profile": fields{"scope": "address"}}, want: "5020"},
		"express no address":    {changes: fields{"shipping": express("NOK")}, want: "profile.scope"},
		"express in DKK":        {changes: fields{"shipping": express("DKK"), "profile": fields{"scope": "address"}}, want: "shipping.fixedOptions"},
		"express of neither":    {changes: fields{"shipping": fields{}, "profile": fields{"scope": "address"}}, want: "shipping"},
		"airline":               {changes: fields{"industryData": fields{"airlineData": fields{"agencyInvoiceNumber": "1", "airlineCode": "074", "airlineDesignatorCode": "KL", "passengerName": "A"}}}},
		"bad airline":           {changes: fields{"industryData": fields{"airlineData": fields{"agencyInvoiceNumber": "1", "airlineCode": "74", "airlineDesignatorCode": "KL", "passengerName": "A"}}}, want: "industryData.airlineData.airlineCode"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMerchant(t, test.options)
			a := m.create("reference-1", test.changes)
			if test.want == "" {
				if a.status != 201 {
					t.Fatalf("%d %s", a.status, a.raw)
				}
				return
			}
			if a.status != 400 || a.header.Get("Content-Type") != "application/problem+json" || a.text("traceId") == "" {
				t.Fatalf("%d %v %s", a.status, a.header, a.raw)
			}
			if test.want[0] >= '0' && test.want[0] <= '9' {
				if a.code() != test.want {
					t.Errorf("code %q, want %s: %s", a.code(), test.want, a.raw)
				}
			} else if diff := cmp.Diff([]string{test.want}, a.names()); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if len(m.server.Payments()) != 0 {
				t.Error("a payment was made all the same")
			}
		})
	}
}

func TestCreateNulls(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{})
	const head = `{"amount":{"currency":"NOK","value":2500},"paymentMethod":{"type":"WALLET"},"userFlow":"QR",`
	for i, test := range []struct {
		rest, want string
	}{
		{`"reference":"nullable-0","minimumUserAge":null,"expiresAt":null,"qrFormat":null,"metadata":null,"receiptUrl":null}`, ""},
		{`"reference":"nullable-1","customer":null}`, "customer"},
		{`"reference":"nullable-2","reference":"nullable-3"}`, "reference"},
		{`"reference":"nullable-4","metadata":{"a":"1","a":"2"}}`, "4110"},
		{`"reference":"nullable-5"`, "body"},
		{`"reference":"nullable-6","a":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`, "body"},
	} {
		a := m.send(request{method: "POST", path: "/epayment/v1/payments", key: m.newKey(), body: head + test.rest})
		got := a.code()
		if names := a.names(); got == "" && len(names) > 0 {
			got = names[0]
		}
		if got != test.want {
			t.Errorf("%d: got %q, want %q: %s", i, got, test.want, a.raw)
		}
	}
}

func TestCreateProblem(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{})
	m.mustCreate("reference-1", nil)
	a := m.create("reference-1", nil)
	delete(a.body, "traceId")
	want := fields{
		"type": "https://httpstatuses.io/409", "title": "Idempotency error", "detail": "Reference reference-1 already exists.",
		"instance": "/v1/payments", "status": 409.0,
		"extraDetails": []any{fields{"name": "ErrorCode", "reason": "4150"}},
	}
	if diff := cmp.Diff(want, a.body); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestRedirectURL(t *testing.T) {
	t.Parallel()
	qrAs := func(format string) fields { return fields{"userFlow": "QR", "qrFormat": fields{"format": format}} }
	for name, test := range map[string]struct {
		production bool
		changes    fields
		want       string
	}{
		"web":               {changes: nil, want: "https://vipps.test/landing?token="},
		"native":            {changes: fields{"userFlow": "NATIVE_REDIRECT"}, want: "vippsMT://token="},
		"native production": {production: true, changes: fields{"userFlow": "NATIVE_REDIRECT"}, want: "vipps://token="},
		"QR":                {changes: fields{"userFlow": "QR"}, want: "https://vipps.test/qr-image?token="},
		"QR as PNG":         {changes: qrAs("IMAGE/PNG"), want: "https://vipps.test/qr-image?token="},
		"QR as text":        {changes: qrAs("TEXT/TARGETURL"), want: "https://vipps.test/landing?token="},
		"push":              {changes: fields{"userFlow": "PUSH_MESSAGE", "customer": fields{"phoneNumber": "4712345678"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMerchant(t, vippstest.Options{Production: test.production})
			a := m.mustCreate("reference-1", test.changes)
			got, present := a.body["redirectUrl"].(string)
			if test.want == "" {
				if present {
					t.Errorf("there is one: %s", got)
				}
				return
			}
			if !strings.HasPrefix(got, test.want) || len(got) < len(test.want)+20 {
				t.Errorf("got %s, want %s…", got, test.want)
			}
			if scanned, err := m.server.Scan(got); scanned.Reference != "reference-1" || err != nil {
				t.Errorf("Scan = %+v, %v", scanned, err)
			}
		})
	}
}

func TestCustomerTokenLivesAQuarterOfAnHour(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{})
	token := m.server.CheckIn("", "sticker-1")
	with := fields{"customer": fields{"customerToken": token}}
	m.server.Advance(15*time.Minute - time.Second)
	m.mustCreate("reference-1", with)
	m.server.Advance(2 * time.Second)
	if a := m.create("reference-2", with); a.code() != "4050" {
		t.Errorf("%d %s", a.status, a.raw)
	}
}
