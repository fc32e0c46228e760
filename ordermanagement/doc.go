// Package ordermanagement adds receipts, links and images to payments.
package ordermanagement
