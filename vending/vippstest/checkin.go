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

// presence is a customer somewhere at some time.
type presence struct {
	phone string
	at    time.Time
}

// CheckIn is a customer scanning the sticker of a merchant's callback code with the app, whether the code was made by the
// API or not. Webhooks for user.checked-in.v1 are told, and the customer token they get can be used in create for 15
// minutes; it is returned as well, without waiting for anybody's answer. An empty msn is that of [Server.Credentials].
// [Server.Scan] does the same for codes that exist, and tells the customer whether the store answered.
func (s *Server) CheckIn(msn, merchantQRID string) (customerToken string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runDue()
	if msn == "" {
		msn = s.credentials.MerchantSerialNumber
	}
	o, token := s.arrival(msn, merchantQRID, everybody.MobileNumber)
	s.publish(o)
	return token
}

// arrival is what webhooks are told about a check-in.
func (s *Server) arrival(msn, merchantQRID, phone string) (o occurrence, token string) {
	token = base64.StdEncoding.EncodeToString(random(59))
	now := s.now()
	for old, who := range s.checkIns {
		if now.Sub(who.at) > customerTokenLife {
			delete(s.checkIns, old)
		}
	}
	s.checkIns[token] = presence{phone, now}
	return occurrence{
		msn: msn, event: checkedIn, queue: "check-in " + token,
		body: encode(checkIn{token, merchantQRID, msn, now.Format("2006-01-02T15:04:05.0000000Z")}),
	}, token
}

// checkedInAs is the customer of a token that is still good.
func (s *Server) checkedInAs(token string) (presence, bool) {
	who, ok := s.checkIns[token]
	return who, ok && s.now().Sub(who.at) <= customerTokenLife
}
