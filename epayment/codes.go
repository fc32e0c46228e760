package epayment

import "github.com/vippsvending/vipps"

// The numeric codes of the API, for errors.Is(err, epayment.CodeCaptureTooHigh). Codes that are not here arrive as well:
// they are in Code of the [vipps.Error]. Titles and details are reworded without notice; codes are not.

// Failures of Vipps MobilePay.
const (
	// CodeInternal is a failure inside, often of a request that is malformed in a way nobody checked for.
	CodeInternal vipps.Code = "3010"
)

// Requests that are wrong.
const (
	// CodeCaptureIdempotency means that the key was used for a capture with another body. A repetition must be identical.
	CodeCaptureIdempotency vipps.Code = "4010"
	// CodeIdempotency means that the key of a create was used with another body or reference. Something of yours exists:
	// read it before trying again.
	CodeIdempotency vipps.Code = "4020"
	// CodeInvalidAmount means that the amount is not a whole number of minor units.
	CodeInvalidAmount vipps.Code = "4040"
	// CodeInvalidCustomerToken means that the token of a check-in is wrong, or older than 15 minutes. The customer has to
	// scan again.
	CodeInvalidCustomerToken vipps.Code = "4050"
	// CodeInvalidPersonalQR means that the text of a customer's code is incomplete or out of date. Scan again.
	CodeInvalidPersonalQR vipps.Code = "4060"
	// CodeInvalidPhoneNumber means that the number is not written as digits with the country code.
	CodeInvalidPhoneNumber vipps.Code = "4070"
	// CodeInvalidScope means that Profile.Scope has a word that does not exist.
	CodeInvalidScope vipps.Code = "4080"
	// CodeInvalidURL means that an address of the request is not accepted.
	CodeInvalidURL vipps.Code = "4090"
	// CodeMetadataTooMany means more than 5 pairs.
	CodeMetadataTooMany vipps.Code = "4100"
	// CodeMetadataDuplicateKey means that a key stands there twice.
	CodeMetadataDuplicateKey vipps.Code = "4110"
	// CodeMetadataKeyTooLong means a key of more than 100 characters.
	CodeMetadataKeyTooLong vipps.Code = "4120"
	// CodeMetadataValueTooLong means a value of more than 500 characters.
	CodeMetadataValueTooLong vipps.Code = "4130"
	// CodeMissingParameter means that something required is not there.
	CodeMissingParameter vipps.Code = "4140"
	// CodeReferenceExists means, of a create, that the sales unit has a payment under this reference already, made with
	// another key: get it and compare. Of a refund it means that the key was used with another amount.
	CodeReferenceExists vipps.Code = "4150"
	// CodeInvalidPaymentMethod is about methods for payment service providers only.
	CodeInvalidPaymentMethod vipps.Code = "4160"
)

// What the sales unit may not do. The request cannot succeed until Vipps MobilePay or the merchant changes something.
const (
	// CodeBlockedSourcesNotApplicable means that BlockedSources are for Denmark and Finland.
	CodeBlockedSourcesNotApplicable vipps.Code = "5010"
	// CodeExpressNotAllowed means that the sales unit may not use Shipping.
	CodeExpressNotAllowed vipps.Code = "5020"
	// CodeIllegalScope means that a word of Profile.Scope, such as nin, needs a permission.
	CodeIllegalScope vipps.Code = "5030"
	// CodeInvalidCurrency means that the currency is not that of the sales unit's market.
	CodeInvalidCurrency vipps.Code = "5040"
	// CodeLongLivingNotAllowed means that ExpiresAt needs approval.
	CodeLongLivingNotAllowed vipps.Code = "5050"
	// CodeBankAccountNotVerified means that the merchant's bank account is not verified.
	CodeBankAccountNotVerified vipps.Code = "5060"
	// CodeCannotCreate comes with a 422: a precondition is missing, or the merchant is not set up right.
	CodeCannotCreate vipps.Code = "5070"
	// CodePushNotAllowed means that PushMessage needs approval. WebRedirect and QR do not.
	CodePushNotAllowed vipps.Code = "5080"
	// CodeReferenceNotFound comes with a 404: the reference is wrong, or belongs to another sales unit.
	CodeReferenceNotFound vipps.Code = "5090"
	// CodeRefundNotPossible means that something about the merchant's configuration prevents refunds.
	CodeRefundNotPossible vipps.Code = "5100"
)

// What the payment's state does not allow. Read the payment: its State and Aggregate say what is possible.
const (
	// CodeAmountTooSmall means less than [vipps.Currency.Minimum].
	CodeAmountTooSmall vipps.Code = "6010"
	// CodeRefundBeforeReservation means that nothing was reserved yet.
	CodeRefundBeforeReservation vipps.Code = "6020"
	// CodeCancelPeriodExpired means that it is too late; the reservation lapses by itself.
	CodeCancelPeriodExpired vipps.Code = "6030"
	// CodeCancelCaptured means that all is captured: refund instead.
	CodeCancelCaptured vipps.Code = "6040"
	// CodeCancelNotReserved means that nothing is reserved: perhaps because an earlier cancel did it, so read the payment.
	CodeCancelNotReserved vipps.Code = "6050"
	// CodeAlreadyAuthorized is the answer of CancelIfNotAuthorized when the customer was faster. Nothing changed.
	CodeAlreadyAuthorized vipps.Code = "6060"
	// CodeCaptureCancelled means that the payment, or its rest, was cancelled.
	CodeCaptureCancelled vipps.Code = "6070"
	// CodeNotReserved means that the customer has not approved yet.
	CodeNotReserved vipps.Code = "6080"
	// CodeCaptureTooHigh means that with this one the captures would exceed what was authorized and not cancelled.
	CodeCaptureTooHigh vipps.Code = "6090"
	// CodeCapturePeriodExpired means that it is too late: the reservation was cancelled.
	CodeCapturePeriodExpired vipps.Code = "6100"
	// CodeExpiryTooLate means that ExpiresAt is more than 60 days ahead.
	CodeExpiryTooLate vipps.Code = "6110"
	// CodeExpiryTooSoon means that ExpiresAt is less than 10 minutes ahead.
	CodeExpiryTooSoon vipps.Code = "6120"
	// CodeReceiptRequired means that ExpiresAt needs a Receipt.
	CodeReceiptRequired vipps.Code = "6130"
	// CodeMustCaptureFull means that the sales unit cannot capture parts; it can be asked for.
	CodeMustCaptureFull vipps.Code = "6140"
	// CodeRefundTooHigh means that less than this is captured and not refunded.
	CodeRefundTooHigh vipps.Code = "6150"
	// CodeProcessing means that the payment is locked by another operation: the same request again in a while.
	CodeProcessing vipps.Code = "6160"
	// CodeAlreadyCaptured means that all is captured.
	CodeAlreadyCaptured vipps.Code = "6170"
	// CodeAlreadyRefunded means that all that was captured is refunded.
	CodeAlreadyRefunded vipps.Code = "6180"
	// CodeCannotCancel means that the state does not allow it, perhaps because it is done: read the payment.
	CodeCannotCancel vipps.Code = "6190"
	// CodeCannotCapture means that the state does not allow it.
	CodeCannotCapture vipps.Code = "6200"
	// CodeCannotRefund means that the state does not allow it.
	CodeCannotRefund vipps.Code = "6210"
	// CodeRefundPeriodExpired means that 365 days have passed.
	CodeRefundPeriodExpired vipps.Code = "6220"
	// CodeAlreadyReserved means that the money is reserved already.
	CodeAlreadyReserved vipps.Code = "6230"
	// CodeCancelProcessing means that the customer is approving at this moment: cancel again in a while, or read.
	CodeCancelProcessing vipps.Code = "6250"
	// CodeFundsUnavailable means that the reserved money cannot be had. Do not hand out the goods; a later capture, with a
	// new key, may succeed.
	CodeFundsUnavailable vipps.Code = "6260"
	// CodeCaptureTryLater means that the capture failed for the moment: again in a while with the same key.
	CodeCaptureTryLater vipps.Code = "6280"
)

// Customers.
const (
	// CodeCustomerNotFound means that there is no such user, or one who is blocked or too young. Do not tell the customer
	// that the number is wrong.
	CodeCustomerNotFound vipps.Code = "7010"
)

// What [Client.ForceApprove] answers, in the test environment only.
const (
	// CodeApproveFailed means that the approval did not work.
	CodeApproveFailed vipps.Code = "10010"
	// CodeApproveNotAllowed means that this payment cannot be approved so.
	CodeApproveNotAllowed vipps.Code = "10020"
	// CodeIdentificationRequired means that the test user has to approve one payment in the app first.
	CodeIdentificationRequired vipps.Code = "10030"
	// CodeInvalidPaymentSource means that the test user's card is no good.
	CodeInvalidPaymentSource vipps.Code = "10040"
	// CodeNoCards means that the test user has no card.
	CodeNoCards vipps.Code = "10050"
	// CodeOperationNotSupported means that approving is not supported for this payment.
	CodeOperationNotSupported vipps.Code = "10060"
	// CodePaymentLimitExceeded means that the test user may not spend as much.
	CodePaymentLimitExceeded vipps.Code = "10070"
)
