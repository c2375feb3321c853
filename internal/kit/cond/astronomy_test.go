package cond

import (
	"math"
	"time"
)

// The Chinese calendar by its definition, as an oracle for the table: months begin on the day
// of the new moon in China, the winter solstice falls into month 11, and of thirteen months
// between two of them the first without a major solar term is the leap month. New moons after
// Meeus, Astronomical Algorithms (2nd ed.), chapter 49; the sun's longitude after chapter 25.

// chinaDay is the date in China (UTC+8) of an instant in Julian ephemeris days, as days since
// 1 January 1970. Delta T is 64 s in 2000 and, by estimate, 90 s in 2060.
func chinaDay(jde float64) int32 {
	deltaT := (64 + (jde-2451545)/365.25*0.45) / 86400
	return int32(math.Floor(jde - deltaT + 8.0/24 - 2440587.5))
}

// jdeOf is the instant at which a date begins in China.
func jdeOf(day int32) float64 { return float64(day) + 2440587.5 - 8.0/24 + 70.0/86400 }

func sine(degrees float64) float64 { return math.Sin(math.Mod(degrees, 360) * math.Pi / 180) }

// newMoon is the instant of the k-th new moon after that of 6 January 2000.
func newMoon(k float64) float64 {
	t := k / 1236.85
	jde := 2451550.09766 + 29.530588861*k + 0.00015437*t*t - 0.000000150*t*t*t
	e := 1 - 0.002516*t - 0.0000074*t*t
	s := 2.5534 + 29.10535670*k - 0.0000014*t*t    // the sun's mean anomaly
	m := 201.5643 + 385.81693528*k + 0.0107582*t*t // the moon's
	f := 160.7108 + 390.67050284*k - 0.0016118*t*t // the moon's argument of latitude
	node := 124.7746 - 1.56375588*k + 0.0020672*t*t
	for _, c := range []struct{ size, angle float64 }{
		{-0.40720, m}, {0.17241 * e, s}, {0.01608, 2 * m}, {0.01039, 2 * f}, {0.00739 * e, m - s}, {-0.00514 * e, m + s},
		{0.00208 * e * e, 2 * s}, {-0.00111, m - 2*f}, {-0.00057, m + 2*f}, {0.00056 * e, 2*m + s}, {-0.00042, 3 * m},
		{0.00042 * e, s + 2*f}, {0.00038 * e, s - 2*f}, {-0.00024 * e, 2*m - s}, {-0.00017, node}, {-0.00007, m + 2*s},
		{0.00004, 2*m - 2*f}, {0.00004, 3 * s}, {0.00003, m + s - 2*f}, {0.00003, 2*m + 2*f}, {-0.00003, m + s + 2*f},
		{0.00003, m - s + 2*f}, {-0.00002, m - s - 2*f}, {-0.00002, 3*m + s}, {0.00002, 4 * m},
		{0.000325, 299.77 + 0.107408*k - 0.009173*t*t}, {0.000165, 251.88 + 0.016321*k}, {0.000164, 251.83 + 26.651886*k},
		{0.000126, 349.42 + 36.412478*k}, {0.000110, 84.66 + 18.206239*k}, {0.000062, 141.74 + 53.303771*k},
		{0.000060, 207.14 + 2.453732*k}, {0.000056, 154.84 + 7.306860*k}, {0.000047, 34.52 + 27.261239*k},
		{0.000042, 207.19 + 0.121824*k}, {0.000040, 291.34 + 1.844379*k}, {0.000037, 161.72 + 24.198154*k},
		{0.000035, 239.56 + 25.513099*k}, {0.000023, 331.55 + 3.592518*k},
	} {
		jde += c.size * sine(c.angle)
	}
	return jde
}

// sunLongitude is the sun's apparent longitude in degrees, 0 to 360, good to 0.01.
func sunLongitude(jde float64) float64 {
	t := (jde - 2451545) / 36525
	mean := 280.46646 + 36000.76983*t + 0.0003032*t*t
	anomaly := 357.52911 + 35999.05029*t - 0.0001537*t*t
	centre := (1.914602-0.004817*t-0.000014*t*t)*sine(anomaly) + (0.019993-0.000101*t)*sine(2*anomaly) + 0.000289*sine(3*anomaly)
	l := math.Mod(mean+centre-0.00569-0.00478*sine(125.04-1934.136*t), 360)
	if l < 0 {
		l += 360
	}
	return l
}

// termDay is the date in China on which the sun reaches a longitude, near a guess.
func termDay(longitude float64, guess int32) int32 {
	for day := guess - 5; ; day++ {
		behind := math.Mod(sunLongitude(jdeOf(day+1))-longitude+540, 360) - 180
		if behind >= 0 {
			return day
		}
	}
}

// solarTerm reports whether the sun enters a new sign between two dates.
func solarTerm(from, until int32) bool {
	return math.Floor(sunLongitude(jdeOf(from))/30) != math.Floor(sunLongitude(jdeOf(until))/30)
}

// oracleMonth is one month of the Chinese calendar.
type oracleMonth struct {
	first  int32 // day on which it begins
	number int   // 1 to 12
	leap   bool
}

// oracleMonths lists the months from the 11th of the year before to the 10th of a year, by
// the definition.
func oracleMonths(year int) []oracleMonth {
	solstice := func(y int) int32 { return termDay(270, int32(time.Date(y, 12, 21, 0, 0, 0, 0, time.UTC).Unix()/86400)) }
	from, until := solstice(year-1), solstice(year)
	k := math.Floor((float64(year)-2000-0.1)*12.3685) - 2
	var firsts []int32
	for day := int32(0); day <= until; k++ {
		day = chinaDay(newMoon(k))
		firsts = append(firsts, day)
	}
	for len(firsts) > 1 && firsts[1] <= from {
		firsts = firsts[1:]
	}
	last := len(firsts) - 1
	for firsts[last] > until {
		last--
	}
	number, leapYear, leaped := 11, last == 13, false
	var list []oracleMonth
	for i := range last {
		m := oracleMonth{first: firsts[i], number: number}
		if leapYear && !leaped && i > 0 && !solarTerm(firsts[i], firsts[i+1]) {
			leaped, m.leap = true, true
			m.number = list[len(list)-1].number
		} else {
			number = number%12 + 1
		}
		list = append(list, m)
	}
	return list
}
