// Package vending carries a sale at an unattended machine from reservation to product to capture or release.
package vending
