package stores

import (
	"math"
	"testing"
	"time"
)

// killServers kills one of three servers again and again under load. Nothing acknowledged is lost,
// everything ends, the books balance; an operation is called again only when a server died that may have
// called it, and never twice at once; and throughput is back soon, for there is nobody who would have to
// be elected.
func killServers(t *testing.T, store string) {
	t.Helper()
	const backWithin = 5 * time.Second
	every, kills := 4*time.Second, 2
	if long() {
		every, kills = 10*time.Second, 12
	}
	bank := startBank(t)
	servers := startServers(t, 3, store)
	load := startLoad(t, startBalancer(t, servers), bank)
	load.awaitUsualRate(every / 2)
	killed, usual := []time.Time{}, []float64{}
	for i := 0; i < kills; i++ {
		server := servers[i%len(servers)]
		killed, usual = append(killed, time.Now()), append(usual, load.rate(every/2))
		server.Kill()
		time.Sleep(every / 2)
		server.Launch()
		time.Sleep(every / 2)
	}
	time.Sleep(every / 2)
	load.finish()
	load.expectEnded(settleTime)
	for i, kill := range killed {
		back := load.backAfter(kill, usual[i])
		t.Logf("after a kill, throughput is back within %v", back)
		if back > backWithin {
			t.Errorf("throughput was back after %v", back)
		}
	}
	bank.expectOneAtATime(t, killed)
}

// backAfter is how long it took after a kill until most clients were served as before it.
func (l *load) backAfter(kill time.Time, usual float64) time.Duration {
	const window, step = 500 * time.Millisecond, 50 * time.Millisecond
	most := 0.7 * math.Min(usual, offeredRate)
	for after := time.Duration(0); after < time.Minute; after += step {
		from := kill.Add(after)
		if float64(l.acknowledged(from, from.Add(window))) >= most*window.Seconds() {
			return after
		}
	}
	return time.Minute
}

func (b *bank) expectOneAtATime(t *testing.T, killed []time.Time) {
	t.Helper()
	excused := func(from, to time.Time) bool {
		for _, kill := range killed {
			if kill.After(from.Add(-time.Second)) && kill.Before(to) {
				return true
			}
		}
		return false
	}
	unexplained := b.repeats(excused)
	for _, repeat := range unexplained {
		t.Errorf("called again although no server had died: %s", repeat)
	}
	for _, overlap := range b.overlaps {
		t.Errorf("under way twice at once: %s", overlap)
	}
	all := b.repeats(func(time.Time, time.Time) bool { return false })
	t.Logf("%d operations; %d called again after they had succeeded, %d of them while no server had died; %d under way twice at once",
		len(b.calls), len(all), len(unexplained), len(b.overlaps))
}
