// Package vippstest is a Vipps MobilePay in process.
package vippstest
