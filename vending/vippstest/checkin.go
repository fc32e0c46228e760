package vippstest

import (
	"encoding/base64"
	"time"
)

// customerTokenLife is how long after a check-in its token can be used to create payments.
const customerTokenLife = 15 * time.Minute

// checkIn is the body of user.checked-in.v1.
type checkIn struct {
	CustomerToken string `json:"customerToken"`
	MerchantQRID  string `json:"merchantQrId"`
	MSN           string `json:"msn"`
	InitiatedAt   string `json:"initiatedAt"`
}

// CheckIn is a customer scanning the sticker of a merchant's callback code with the app. Webhooks for user.checked-in.v1
// are told at once, and the customer token they get can be used in create for 15 minutes; it is returned as well. An
// empty msn is that of [Server.Credentials].
func (s *Server) CheckIn(msn, merchantQRID string) (customerToken string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runDue()
	if msn == "" {
		msn = s.credentials.MerchantSerialNumber
	}
	token := base64.StdEncoding.EncodeToString(random(59))
	now := s.now()
	for old, issued := range s.checkIns {
		if now.Sub(issued) > customerTokenLife {
			delete(s.checkIns, old)
		}
	}
	s.checkIns[token] = now
	s.publish(occurrence{
		msn: msn, event: checkedIn, queue: "check-in " + token,
		body: encode(checkIn{token, merchantQRID, msn, now.Format("2006-01-02T15:04:05.0000000Z")}),
	})
	return token
}
