package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// Customers come to machines, approve on their phones, and leave when their session is closed.
type Customers struct {
	w *world

	mu      sync.Mutex
	visits  map[string]*visit // by session
	trouble []error
}

// visit is what one customer goes through. A moment that has not come is zero.
type visit struct {
	left                            func() // when the session is closed; nil for one who is opened to wait
	approved, told, charged, closed time.Time
}

func newCustomers(w *world) *Customers { return &Customers{w: w, visits: map[string]*visit{}} }

// atOnce is how many sessions are being opened at the same time at most.
const atOnce = 64

// open opens a session at a machine.
func (c *Customers) open(machine string, left func()) (session string, err error) {
	worker := c.w.anybody()
	if worker == nil {
		return "", errors.New("no worker is alive")
	}
	if err := worker.Call("Worker.Open", machine, &session); err != nil {
		return "", fmt.Errorf("machine %s: %w", machine, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.visits[session] = &visit{left: left}
	return session, nil
}

// approve is the customer pressing pay, in so long.
func (c *Customers) approve(session string, in time.Duration) {
	time.AfterFunc(in, func() {
		c.mu.Lock()
		c.visits[session].approved = time.Now()
		c.mu.Unlock()
		if err := c.w.vipps.Approve(session); err != nil {
			c.fail(err)
		}
	})
}

func (c *Customers) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.trouble = append(c.trouble, err)
}

// told is a machine that was told to let a product out.
func (c *Customers) told(session string, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if v := c.visits[session]; v != nil {
		v.told = at
	}
}

// captured is a payment whose capture was asked for.
func (c *Customers) captured(session string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if v := c.visits[session]; v != nil && v.charged.IsZero() {
		v.charged = time.Now()
	}
}

// Closed hears of sessions that a worker has closed.
func (c *Customers) Closed(sessions []string, _ *struct{}) error { //nolint:unparam // as net/rpc wants it
	for _, session := range sessions {
		c.mu.Lock()
		v := c.visits[session]
		if v != nil {
			v.closed = time.Now()
		}
		c.mu.Unlock()
		if v != nil && v.left != nil {
			v.left()
		}
	}
	return nil
}

// come has customers come until it is time, and gives when the last one had come.
func (c *Customers) come(ctx context.Context) (until time.Time) {
	o := c.w.options
	ctx, stop := context.WithTimeout(ctx, o.lasting)
	defer stop()
	free := make(chan string, o.machines)
	for i := range o.machines {
		free <- fmt.Sprintf("m%d", i)
	}
	opening := make(chan struct{}, atOnce)
	due := time.Now()
	for n := 0; o.sessions == 0 || n < o.sessions; n++ {
		if o.rate > 0 { // nobody knows of the others: they come as they like
			due = due.Add(time.Duration(rand.ExpFloat64() / o.rate * float64(time.Second)))
			if !pause(ctx, time.Until(due)) {
				break
			}
		}
		var machine string
		select {
		case machine = <-free:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
		opening <- struct{}{}
		go func() {
			session, err := c.open(machine, func() { free <- machine })
			<-opening
			if err != nil {
				c.fail(err)
				return
			}
			c.approve(session, o.approve.draw())
		}()
	}
	until = time.Now()
	for range atOnce { // those who are being served
		opening <- struct{}{}
	}
	return until
}

// wait opens sessions whose customers take their time, and gives their ids.
func (c *Customers) wait(ctx context.Context, n int) ([]string, error) {
	ids, errs := make([]string, n), make(chan error, 1)
	opening := make(chan struct{}, atOnce)
	for i := range n {
		if i > 0 && i%20_000 == 0 {
			c.w.tell("%d sessions are open", i)
		}
		select {
		case opening <- struct{}{}:
		case err := <-errs:
			return nil, err
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		go func() {
			var err error
			if ids[i], err = c.open(fmt.Sprintf("w%d", i), nil); err != nil {
				select {
				case errs <- err:
				default: // one is enough
				}
			}
			<-opening
		}()
	}
	for range atOnce {
		opening <- struct{}{}
	}
	select {
	case err := <-errs:
		return nil, err
	default:
		return ids, nil
	}
}

// settled waits until the sessions of all who have come to buy are closed.
func (c *Customers) settled(ctx context.Context, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for {
		c.mu.Lock()
		left, trouble := 0, errors.Join(c.trouble...)
		for _, v := range c.visits {
			if v.closed.IsZero() && v.left != nil {
				left++
			}
		}
		c.mu.Unlock()
		switch {
		case trouble != nil:
			return trouble
		case left == 0:
			return nil
		}
		if !pause(ctx, 100*time.Millisecond) {
			return fmt.Errorf("%d sessions are not closed within %s: %w", left, within, ctx.Err())
		}
	}
}

// served counts the sessions that are closed, and those that were at a moment.
func (c *Customers) served(until time.Time) (all, by int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, v := range c.visits {
		if !v.closed.IsZero() {
			all++
			if v.closed.Before(until) {
				by++
			}
		}
	}
	return all, by
}
