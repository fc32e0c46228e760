package webhooks

// EventType is the name of a kind of event, as a registration lists it. Names that are not among the constants work as well.
type EventType string

// Events of the ePayment API. Only payments made with it have them; changes made by hand in the business portal are
// told as well. Deliveries name what happened with an [EventName], such as [NameCaptured].
const (
	PaymentCreated    EventType = "epayments.payment.created.v1"
	PaymentAborted    EventType = "epayments.payment.aborted.v1"
	PaymentExpired    EventType = "epayments.payment.expired.v1"
	PaymentCancelled  EventType = "epayments.payment.cancelled.v1"
	PaymentCaptured   EventType = "epayments.payment.captured.v1"
	PaymentRefunded   EventType = "epayments.payment.refunded.v1"
	PaymentAuthorized EventType = "epayments.payment.authorized.v1"
	PaymentTerminated EventType = "epayments.payment.terminated.v1"
)

// UserCheckedIn tells that a customer has scanned a merchant callback QR code and waits for a payment request. A sales unit
// has at most one registration for it.
const UserCheckedIn EventType = "user.checked-in.v1"

// Events of the Recurring API and of Login. They are delivered as an [UnknownEvent], which has the body.
const (
	AgreementActivated     EventType = "recurring.agreement-activated.v1"
	AgreementRejected      EventType = "recurring.agreement-rejected.v1"
	AgreementStopped       EventType = "recurring.agreement-stopped.v1"
	AgreementExpired       EventType = "recurring.agreement-expired.v1"
	ChargeReserved         EventType = "recurring.charge-reserved.v1"
	ChargeCaptured         EventType = "recurring.charge-captured.v1"
	ChargeCanceled         EventType = "recurring.charge-canceled.v1" // one l
	ChargeRefunded         EventType = "recurring.charge-refunded.v1"
	ChargeFailed           EventType = "recurring.charge-failed.v1"
	ChargeCreationFailed   EventType = "recurring.charge-creation-failed.v1"
	LoginMerchantInitiated EventType = "login.merchant-initiated.ping.v1"
)

// PaymentEvents are all events of the ePayment API, for a [RegisterRequest] or an [EnsureRequest].
func PaymentEvents() []EventType {
	return []EventType{
		PaymentCreated, PaymentAborted, PaymentExpired, PaymentCancelled,
		PaymentCaptured, PaymentRefunded, PaymentAuthorized, PaymentTerminated,
	}
}
