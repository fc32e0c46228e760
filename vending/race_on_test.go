//go:build race

package vending

// RaceEnabled says that the race detector is on, under which everything takes several times as long.
const RaceEnabled = true
