package vippstest

import (
	"math"
	"regexp"
)

const referenceRule = "The value must match the regular expression '^[a-zA-Z0-9-]{8,64}$'."

var (
	referencePattern = regexp.MustCompile(`^[a-zA-Z0-9-]{8,64}$`)
	timePattern      = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-](2[0-3]|[01][0-9]):[0-5][0-9])$`)
	quantityPattern  = regexp.MustCompile(`^\d+(\.\d{1,8})?$`)
	countryPattern   = regexp.MustCompile(`^[A-Z]{2}$`)
)

func isReference(s string) bool { return referencePattern.MatchString(s) }

const (
	maxAmount = 65_000_000
	anything  = math.MaxInt64
)

var currencyRule = oneOf("NOK", "DKK", "EUR")

// amountRule is an Amount. A number that is no amount has a code of its own; anything else breaks the schema.
func amountRule(c *check, path string, v value) {
	object(required("currency", currencyRule), required("value", func(c *check, path string, v value) {
		n, ok := v.integer()
		switch {
		case v.kind != isNumber:
			c.wrong(path, "The value must be an integer.")
		case !ok || n < 0 || n > maxAmount:
			c.refuse("4040", "The amount must be an integer in minor units, at most %d.", maxAmount)
		}
	}))(c, path, v)
}

// createSchema is the body of create. Its shape only: what depends on other fields, on the sales unit or on the time is in
// checkOrder.
var createSchema = object(
	required("amount", amountRule),
	required("paymentMethod", object(
		required("type", oneOf("WALLET", "CARD", "CARD_PASSTHROUGH")),
		optional("blockedSources", array(0, oneOf("COMMERCIAL_CARDS"))),
	)),
	required("reference", pattern(referencePattern)),
	required("userFlow", oneOf("WEB_REDIRECT", "NATIVE_REDIRECT", "PUSH_MESSAGE", "QR")),
	optional("customer", customerRule),
	optional("customerInteraction", oneOf("CUSTOMER_PRESENT", "CUSTOMER_NOT_PRESENT")),
	optional("returnUrl", text(0, 2500)),
	optional("paymentDescription", text(3, 100)),
	nullable("qrFormat", object(
		required("format", oneOf("TEXT/TARGETURL", "IMAGE/SVG+XML", "IMAGE/PNG")),
		nullable("size", integer(100, 2000)),
	)),
	nullable("expiresAt", pattern(timePattern)),
	optional("receipt", receiptRule),
	nullable("receiptUrl", anyText),
	nullable("metadata", metadataRule),
	nullable("minimumUserAge", integer(0, 100)),
	optional("profile", object(optional("scope", anyText))),
	optional("merchantLegalLinks", object(optional("termsOfSaleUrl", anyText), optional("privacyPolicyUrl", anyText))),
	optional("shipping", shippingRule),
	optional("industryData", object(optional("airlineData", object(
		required("agencyInvoiceNumber", text(1, 6)),
		required("airlineCode", text(3, 3)),
		required("airlineDesignatorCode", text(2, 2)),
		required("passengerName", text(1, 49)),
		optional("ticketNumber", text(1, 150)),
	)))),
)

func customerRule(c *check, path string, v value) {
	object(optional("phoneNumber", anyText), optional("personalQr", anyText), optional("customerToken", anyText))(c, path, v)
	if v.kind == isObject && (order{
		hasPhone: v.get("phoneNumber").has(), personalQR: v.get("personalQr"), token: v.get("customerToken"),
	}).customers() != 1 {
		c.wrong(path, "Exactly one of phoneNumber, personalQr and customerToken is required.")
	}
}

// metadataRule only looks at the kind: what is too much or too long has codes.
func metadataRule(c *check, path string, v value) {
	if v.kind != isObject {
		c.wrong(path, "The value must be an object.")
	}
	for _, m := range v.members {
		if m.value.kind != isString {
			c.wrong(join(path, m.name), "The value must be a string.")
		}
	}
}

var receiptRule = object(
	required("orderLines", array(1, orderLineRule)),
	required("bottomLine", object(
		required("currency", currencyRule),
		nullable("tipAmount", integer(0, anything)),
		nullable("posId", anyText),
		nullable("receiptNumber", anyText),
		optional("paymentSources", object(
			nullable("giftCard", integer(math.MinInt64, anything)),
			nullable("card", integer(math.MinInt64, anything)),
			nullable("voucher", integer(math.MinInt64, anything)),
			nullable("cash", integer(math.MinInt64, anything)),
		)),
		optional("barcode", object(
			present("format", oneOf("EAN-13", "CODE 39", "CODE 128")),
			present("data", anyText),
		)),
		// Deprecated, and still accepted.
		nullable("giftCardAmount", integer(0, anything)),
		nullable("totalAmount", integer(math.MinInt64, anything)),
		nullable("totalTax", integer(0, anything)),
		nullable("totalDiscount", integer(0, anything)),
		nullable("shippingAmount", integer(0, anything)),
		optional("shippingInfo", object(
			present("amount", integer(0, anything)),
			present("amountExcludingTax", integer(0, anything)),
			present("taxAmount", integer(0, anything)),
			present("taxPercentage", integer(0, 100)),
		)),
		nullable("terminalId", anyText),
	)),
)

func orderLineRule(c *check, path string, v value) {
	object(
		required("name", anyText),
		required("id", anyText),
		required("totalAmount", integer(0, anything)),
		required("totalAmountExcludingTax", integer(0, anything)),
		required("totalTaxAmount", integer(0, anything)),
		nullable("taxRate", integer(0, 10_000)),
		nullable("taxPercentage", integer(0, 100)),
		optional("unitInfo", object(
			present("unitPrice", integer(0, anything)),
			required("quantity", quantityRule),
			nullable("quantityUnit", oneOf("PCS", "KG", "KM", "MINUTE", "LITRE", "KWH")),
		)),
		nullable("discount", integer(0, anything)),
		nullable("productUrl", anyText),
		nullable("isReturn", boolean),
		nullable("isShipping", boolean),
	)(c, path, v)
	if v.kind == isObject && !v.get("taxRate").has() && !v.get("taxPercentage").has() {
		c.wrong(path, "One of taxRate and taxPercentage is required.")
	}
}

func quantityRule(c *check, path string, v value) {
	text(1, 10)(c, path, v)
	if v.kind == isString {
		pattern(quantityPattern)(c, path, v)
	}
}

func shippingRule(c *check, path string, v value) {
	object(
		optional("fixedOptions", array(1, object(
			required("type", oneOf("HOME_DELIVERY", "PICKUP_POINT", "MAILBOX", "IN_STORE", "OTHER")),
			required("brand", oneOf("POSTEN", "BRING", "POSTNORD", "HELTHJEM", "PORTERBUDDY", "DHL", "INSTABOX", "FEDEX",
				"MATKAHUOLTO", "GLS", "POSTI", "GORDON", "OTHER")),
			required("options", array(1, object(
				required("id", anyText),
				required("amount", amountRule),
				required("name", anyText),
				optional("isDefault", boolean),
				optional("priority", integer(math.MinInt64, anything)),
				optional("meta", anyText),
				optional("estimatedDelivery", anyText),
			))),
			optional("isDefault", boolean),
			optional("priority", integer(math.MinInt64, anything)),
		))),
		optional("dynamicOptions", object(
			required("callbackUrl", anyText),
			optional("callbackAuthorizationToken", anyText),
		)),
		optional("allowedCountries", array(0, pattern(countryPattern))),
	)(c, path, v)
	if v.kind == isObject && v.get("fixedOptions").has() == v.get("dynamicOptions").has() {
		c.wrong(path, "Exactly one of fixedOptions and dynamicOptions is required.")
	}
}
