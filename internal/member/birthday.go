package member

import (
	"strings"
	"time"
)

// Birthday is "2000-02-29", or "--02-29" where the year is not known, or "".
type Birthday string

// firstYear is the earliest year of birth and of joining that is believed: older dates are
// placeholders of other systems.
const firstYear = 1900

// parseBirthday reads a birthday; today is the programme's date.
func parseBirthday(text string, today time.Time) (Birthday, error) {
	if rest, ok := strings.CutPrefix(text, "--"); ok {
		if _, err := time.Parse(time.DateOnly, "2000-"+rest); err != nil {
			return "", ErrBirthday
		}
		return Birthday(text), nil
	}
	at, err := time.Parse(time.DateOnly, text)
	if err != nil || at.Year() < firstYear || text > today.Format(time.DateOnly) {
		return "", ErrBirthday
	}
	return Birthday(text), nil
}

// Year is the year of birth, or 0 where it is not known.
func (b Birthday) Year() int {
	at, year := b.date()
	if !year {
		return 0
	}
	return at.Year()
}

// MonthDay is month*100 + day, 101 to 1231, or 0 without a birthday.
func (b Birthday) MonthDay() int {
	if b == "" {
		return 0
	}
	at, _ := b.date()
	return int(at.Month())*100 + at.Day()
}

func (b Birthday) date() (at time.Time, year bool) {
	text := string(b)
	year = b != "" && text[0] != '-'
	if !year {
		text = strings.Replace(text, "--", "2000-", 1)
	}
	at, err := time.Parse(time.DateOnly, text)
	return at, year && err == nil
}
