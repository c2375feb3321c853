package file

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// The reasons for which a mapping is refused. All of them show before a row is read.
var (
	ErrKind       = errs.New(errs.Invalid, "map.kind", "There is no import of {kind}; there is one of members, sales, events, balances and products.", "不支持导入 {kind}；可导入 members、sales、events、balances、products。")
	ErrMapShape   = errs.New(errs.Invalid, "map.shape", "{part} is not of the form field=column.", "{part} 不是 字段=列名 的形式。")
	ErrMapField   = errs.New(errs.Invalid, "map.field", "There is no field {field}. Did you mean {near}? Fields: {fields}.", "没有字段 {field}，是否为 {near}？可用字段：{fields}。")
	ErrMapColumn  = errs.New(errs.Invalid, "map.column", "The file has no column {column}. Did you mean {near}? Columns: {columns}.", "文件中没有列 {column}，是否为 {near}？现有列：{columns}。")
	ErrMapTwice   = errs.New(errs.Invalid, "map.twice", "The field {field} is mapped twice.", "字段 {field} 被映射了两次。")
	ErrMapDouble  = errs.New(errs.Invalid, "map.double_column", "The file has several columns {column}. Name one by its place, as in {field}=#{place}.", "文件中有多个列 {column}，请用位置指定，例如 {field}=#{place}。")
	ErrMapMissing = errs.New(errs.Invalid, "map.missing", "No column is mapped to {fields}. Name one with --map {field}=column. Columns: {columns}.", "没有列映射到 {fields}，请用 --map {field}=列名 指定。现有列：{columns}。")
)

// Mapping says which column fills which field.
type Mapping struct {
	kind    Kind
	header  []string
	columns map[string]int
}

// NewMapping reads a mapping of the form "field=column,field=column". A column is named
// as the header names it, or by its place, from #1. An empty text maps every column whose
// name is the name of a field or a known other name of it, in English or Chinese; the
// first such column of a field counts. A given text is taken as it stands: nothing is
// mapped that it does not name.
func NewMapping(kind Kind, text string, header []string) (*Mapping, error) {
	if _, ok := forms[kind]; !ok {
		return nil, ErrKind.With("kind", kind)
	}
	m := &Mapping{kind: kind, header: header, columns: map[string]int{}}
	if strings.TrimSpace(text) == "" {
		m.auto()
		return m, nil
	}
	for _, part := range m.parts(text) {
		if err := m.add(part); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// parts cuts the text at its commas. A comma that no "field=" follows belongs to the name
// of a column.
func (m *Mapping) parts(text string) []string {
	var parts []string
	for _, p := range strings.Split(text, ",") {
		if len(parts) > 0 && !strings.Contains(p, "=") && strings.TrimSpace(p) != "" {
			parts[len(parts)-1] += "," + p
			continue
		}
		parts = append(parts, p)
	}
	return parts
}

func (m *Mapping) add(part string) error {
	field, column, ok := strings.Cut(part, "=")
	field, column = strings.TrimSpace(field), strings.TrimSpace(column)
	if !ok || field == "" || column == "" {
		return ErrMapShape.With("part", strconv.Quote(part))
	}
	if !m.knows(field) {
		names := m.fieldNames()
		return ErrMapField.With("field", field, "near", nearest(field, names), "fields", strings.Join(names, ", "))
	}
	if m.Has(field) {
		return ErrMapTwice.With("field", field)
	}
	i, err := m.column(field, column)
	if err != nil {
		return err
	}
	m.columns[field] = i
	return nil
}

func (m *Mapping) knows(field string) bool {
	f := forms[m.kind]
	if f.open != "" && strings.HasPrefix(field, f.open) && len(field) > len(f.open) {
		return true
	}
	return slices.ContainsFunc(f.fields, func(x Field) bool { return x.Name == field })
}

func (m *Mapping) fieldNames() []string {
	var names []string
	for _, f := range forms[m.kind].fields {
		names = append(names, f.Name)
	}
	if open := m.kind.Open(); open != "" {
		names = append(names, open+"…")
	}
	return names
}

// column finds a column by name or by place.
func (m *Mapping) column(field, name string) (int, error) {
	i := slices.Index(m.header, name)
	if i >= 0 {
		if slices.Contains(m.header[i+1:], name) {
			return 0, ErrMapDouble.With("column", name, "field", field, "place", i+1)
		}
		return i, nil
	}
	if place, ok := strings.CutPrefix(name, "#"); ok {
		if n, err := strconv.Atoi(place); err == nil && n >= 1 && n <= len(m.header) {
			return n - 1, nil
		}
	}
	return 0, ErrMapColumn.With("column", name, "near", nearest(name, m.header), "columns", m.columnNames())
}

// auto maps each field to the first column that means it and is not taken: a column named
// like the field itself comes before one that bears another name of it.
func (m *Mapping) auto() {
	taken := make([]bool, len(m.header))
	try := func(f Field, means func(column string) bool) {
		for i, column := range m.header {
			if !m.Has(f.Name) && !taken[i] && column != "" && means(column) {
				m.columns[f.Name], taken[i] = i, true
			}
		}
	}
	for _, f := range forms[m.kind].fields {
		try(f, func(column string) bool { return folded(column) == folded(f.Name) })
	}
	for _, f := range forms[m.kind].fields {
		try(f, f.matches)
	}
	if open := m.kind.Open(); open != "" {
		for i, column := range m.header {
			if !taken[i] && m.knows(column) && !m.Has(column) {
				m.columns[column] = i
			}
		}
	}
}

// Check refuses a mapping that misses something which every row of its kind needs. For
// sales, from replaces the document, as in --document-from member,at.
func (m *Mapping) Check(from ...string) error {
	for _, group := range forms[m.kind].need {
		if group[0] == "document" && len(from) > 0 {
			continue
		}
		if !slices.ContainsFunc(group, m.Has) {
			return m.missing(group)
		}
	}
	for _, f := range from {
		if !m.Has(f) {
			return m.missing([]string{f})
		}
	}
	return nil
}

func (m *Mapping) missing(group []string) error {
	return ErrMapMissing.With("fields", strings.Join(group, " | "), "field", group[0], "columns", m.columnNames())
}

func (m *Mapping) columnNames() string {
	return clip(strings.Join(m.header, ", "))
}

// Has reports whether a column fills the field.
func (m *Mapping) Has(field string) bool {
	_, ok := m.columns[field]
	return ok
}

// Get returns the cell of a field without the space around it; "" where none is mapped.
func (m *Mapping) Get(cells []string, field string) string {
	i, ok := m.columns[field]
	if !ok || i >= len(cells) {
		return ""
	}
	return strings.TrimSpace(cells[i])
}

// Free returns the cells of the fields that the user named, as {size: "L"} of attr.size;
// empty cells are left away. It is nil where there is none.
func (m *Mapping) Free(cells []string) map[string]string {
	open := m.kind.Open()
	if open == "" {
		return nil
	}
	var free map[string]string
	for field := range m.columns {
		name, ok := strings.CutPrefix(field, open)
		if value := m.Get(cells, field); ok && value != "" {
			if free == nil {
				free = map[string]string{}
			}
			free[name] = value
		}
	}
	return free
}

// Columns returns which column fills which field: by its name, or by its place, as #3, where
// two columns bear the name.
func (m *Mapping) Columns() map[string]string {
	out := make(map[string]string, len(m.columns))
	for field, i := range m.columns {
		out[field] = m.header[i]
		if slices.Index(m.header, m.header[i]) != i || slices.Contains(m.header[i+1:], m.header[i]) {
			out[field] = fmt.Sprintf("#%d", i+1)
		}
	}
	return out
}

// String writes the mapping as NewMapping reads it, in the order of the columns.
func (m *Mapping) String() string {
	fields := make([]string, 0, len(m.columns))
	for f := range m.columns {
		fields = append(fields, f)
	}
	slices.SortFunc(fields, func(a, b string) int { return m.columns[a] - m.columns[b] })
	for i, f := range fields {
		fields[i] = f + "=" + m.header[m.columns[f]]
	}
	return strings.Join(fields, ",")
}

// nearest returns the name that takes the fewest changes to reach from what was typed.
func nearest(typed string, names []string) string {
	best, least := "", -1
	for _, n := range names {
		if d := distance(folded(typed), folded(n)); n != "" && (least < 0 || d < least) {
			best, least = n, d
		}
	}
	return best
}

// distance is the edit distance of Levenshtein, over runes. Long names are cut: this
// makes a hint, nothing else.
func distance(a, b string) int {
	x, y := shortRunes(a), shortRunes(b)
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := range x {
		diagonal := row[0]
		row[0] = i + 1
		for j := range y {
			change := diagonal
			if x[i] != y[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(y)]
}

func shortRunes(s string) []rune {
	const longest = 64
	if utf8.RuneCountInString(s) <= longest {
		return []rune(s)
	}
	return []rune(s)[:longest]
}
