// Package webhooks registers addresses for events of Vipps MobilePay, verifies and reads deliveries, and serves them over
// HTTP.
package webhooks
