package privacy

import "strings"

// The registry says of every column of the database what it has to do with people. A test
// compares it with the migrated schema of both engines and with the structs that columns
// of JSON are written from: a column or a field that is not here fails it, so that whoever
// adds one decides, and writes down, what becomes of it.

// Class is what a column has to do with people.
type Class int

// The classes.
const (
	// Sealed values say who somebody is. They lie under the record's own key only.
	Sealed Class = iota + 1
	// Plain values say something of a person and stand in the clear, since rules and
	// segments work with them.
	Plain
	// Free text is written by tills, staff or other systems. It should hold nothing
	// personal, and may.
	Free
	// About values belong to a member and say by themselves nothing of the person: numbers,
	// amounts, times, states.
	About
	// Staff values are of the people who work here.
	Staff
	// Nobody's values are of no person.
	Nobody
)

// Fate is what an erasure does.
type Fate int

// The fates.
const (
	Stays     Fate = iota // under the member's number, which leads to nobody any more
	Destroyed             // it cannot be opened any more, wherever copies of it lie
	Wiped                 // overwritten with nothing
	Deleted               // the row goes
	Expires               // the row goes by itself after a while, erasure or not
)

// Field is one line of the registry: some columns of a table, or fields of a column's JSON.
type Field struct {
	Table   string // or "table.column" for what its JSON holds
	Columns string // names, apart by spaces
	Class   Class
	Sheets  string // of an export: sheet, or sheet.column for each of Columns in order; "" where it is in none
	Fate    Fate
	Why     string // what it is for, for how long it is kept, and why it is not exported or not erased
}

// Names lists what the line is about, as table.column.
func (f Field) Names() []string {
	var names []string
	for c := range strings.FieldsSeq(f.Columns) {
		names = append(names, f.Table+"."+c)
	}
	return names
}

// key is what most member-owned tables begin with.
const key = "shard member_id"

// Registry is every column there is.
func Registry() []Field { return registry }

var registry = []Field{
	// Who they are.
	{"member", "sealed wrapped_key", Sealed, "profile", Destroyed, "the record and its key; see member.sealed"},
	{"member.sealed", "name birthday address", Sealed, "profile.name profile.birthday profile.address", Destroyed, "to address and to congratulate the member; as long as they are one"},
	{"member.sealed", "ids", Sealed, "identifiers.value", Destroyed, "to find the member; as long as they are one"},
	{"member.sealed", "attrs", Sealed, "attributes.value", Destroyed, "what the programme asks for and declares personal"},
	{"member", "gender birth_year birth_md city language source", Plain, "profile.gender profile.birthday profile.birthday profile.city profile.language profile.source", Wiped, "rules and segments; as long as they are a member"},
	{"member", "id joined_ms created_ms store_id merged_into", About, "profile", Stays, "the number that the books stand under, and figures of growth"},
	{"member", "shard version merge_height erased_ms", About, "", Stays, "numbers of the program's own"},
	{"identifier", "shard hash kind member_id verified_ms source added_ms", Sealed, "identifiers", Deleted, "keyed hashes by which the member is found"},
	{"name_token", "shard token member_id", Sealed, "", Deleted, "keyed hashes of the words of the name, which is exported itself"},
	{"member_attribute", "shard member_id key kind text_value number_e4", Plain, "attributes", Deleted, "what the programme asks for; rules and segments"},
	{"member_tag", "shard member_id tag", Plain, "profile", Deleted, "marks that staff and rules put on members"},
	{"merge_link", "shard from_id seq into_id at_ms by_whom undone_ms undone_by", About, "", Stays, "which records are one person; the events of a merge are exported"},
	{"merge_link", "gained_tags", Plain, "", Wiped, "tags that came with a merge, to be taken off by undoing it; the tags are exported"},

	// What staff write about them.
	{"note", key + " id version text pinned author at_ms edited_ms deleted_ms deleted_by", Sealed, "notes", Deleted, "what colleagues should know; sealed under the record's key"},
	{"call", key + " id text direction outcome at_ms duration_s author added_ms deleted_ms deleted_by", Sealed, "calls", Deleted, "what was said on the telephone; sealed under the record's key"},
	{"task", key + " id version text outcome state owner due_ms whole_day remind_ms armed author added_ms done_by done_ms", Sealed, "tasks", Deleted, "what is to be done for the member; sealed under the record's key"},

	// What they agreed to.
	{"consent", key + " seq purpose channel granted text_version text_hash at_ms source actor", About, "consents", Stays, "evidence that what was done was allowed; holds no personal value"},
	{"tombstone", key + " created_ms at_ms done_ms reason actor", About, "", Stays, "that they were erased, so that they stay it"},

	// What they own.
	{"account", key + " entry_n sale_n event_n may_earn may_spend merged_into first_hold", About, "", Stays, "counters and switches of the ledger"},
	{"wallet", key + " currency_id active pending held debt earned spent", About, "wallets", Stays, "the books"},
	{"wallet", "sent held_ever first_open next_ms slide_ms days line_expires_ms line_earned_ms", About, "", Stays, "counters of limits, and hints"},
	{"lot", key + " seq currency_id bucket state earned_ms active_ms expires_ms granted left_n held spent expired clawed moved", About, "lots", Stays, "the books"},
	{"lot", "issuer_id store_id month origin_member origin_seq via_member via_seq stray", About, "", Stays, "who owes it and where it came from; its entries are exported"},
	{"hold", key + " seq currency_id state amount captured made_ms expires_ms ended_ms", About, "holds", Stays, "the books"},
	{"hold", "lots", About, "", Stays, "which lots it pinned"},
	{"hold", "purpose", Free, "holds.purpose", Wiped, "what the purchase was, in the till's words"},
	{"entry", key + " seq currency_id kind pending active held debt after_active at_ms posted_ms cause_kind cause_member cause_seq source document rule store_id", About, "entries", Stays, "the books: ten years by the law of most places"},
	{"entry", "touches actor salt digest", About, "", Stays, "lots, colleague and proof of an entry"},
	{"entry", "reason", Free, "entries.reason", Stays, "why staff moved points. It is part of the proof of the books and cannot change, so no names belong in it"},
	{"approval", "id kind member_id state asked_ms decided_ms", About, "approvals", Stays, "the books"},
	{"approval", "payload", About, "approvals", Stays, "what is asked for: a currency and an amount"},
	{"approval", "merchant_id asked_by until_ms decided_by done_ms result", About, "", Stays, "colleagues, places and ends of an approval"},
	{"approval", "reason", Free, "approvals.reason", Wiped, "why staff ask for points"},
	{"document", "shard hash kind member_id seq content", About, "", Stays, "hashes of document numbers, so that none counts twice"},

	// What they bought and did.
	{"sale", key + " seq kind state source document store_id till channel currency total at_ms posted_ms of_member of_seq flags", About, "sales", Stays, "the shop's book-keeping"},
	{"sale", "owner_id next_seq effect staff", About, "", Stays, "whose it is, what it moved (exported as entries), and which colleague sold"},
	{"sale", "body", Free, "sales", Wiped, "see sale.body"},
	{"sale.body", "l", About, "sale_lines", Stays, "lines: what was bought"},
	{"sale.body", "d", About, "sale_payments", Stays, "discounts of the till: names of promotions"},
	{"sale.body", "p", Free, "sale_payments.reference", Wiped, "payments; kind and amount stay, the reference goes"},
	{"sale.body", "a", Free, "sales.attributes", Wiped, "what tills write beside a sale"},
	{"sale.body", "of u w b", About, "", Stays, "how returns wait for their sale"},
	{"sale.body.l", "n s t c b q m rq rm", About, "sale_lines", Stays, "the line"},
	{"sale.body.l", "k of x", About, "", Stays, "cost, and how a return was matched"},
	{"sale.body.l", "a", Free, "sale_lines.attributes", Wiped, "what tills write beside a line"},
	{"event", "position kind at_ms", About, "events", Stays, "the log, which others follow by its numbers"},
	{"event", key, About, "", Stays, "whose it is"},
	{"active_month", key + " month store_id days", About, "", Stays, "on which days they bought something; their sales are exported"},
	{"event", "body", Free, "events.body", Wiped, "what happened; bodies of event.… and member.… are emptied, those of points, sales and consents stay"},
	{"outbox", "id n at_ms", About, "", Expires, "events for the moment until they are in the log"},
	{"outbox", "events", Free, "", Wiped, "as in the log, a moment earlier: those of several members in a row"},
	{"request", "shard hash body_hash status at_ms member_id", About, "", Expires, "keys of requests, 30 days"},
	{"request", "answer", Sealed, "", Wiped, "answers for retries, 30 days: sealed under the wrapping key where they tell who somebody is; what they tell is exported itself"},
	{"audit", "id at_ms action subject before after actor_kind actor", About, "audit", Stays, "who changed what: names of fields, never values"},
	{"audit_link", "position audit_id hash", Nobody, "", Stays, ""},
	{"audit_waiting", "audit_id", Nobody, "", Stays, ""},
	{"audit_head", "one position hash", Nobody, "", Stays, ""},
	{"audit", "ip user_agent trace_id", Staff, "", Stays, "from where a colleague worked; 180 days at least by law"},

	// How they get into the portal.
	{"portal_session", "shard member_id id device started_ms seen_ms", Plain, "portal_sessions", Deleted, "where the member is signed in: a kind of device, and no address; 90 days after the last use"},
	{"portal_session", "hash", About, "", Deleted, "hash of the secret in the member's browser"},
	{"portal_code", "shard hash who code purpose member_id tries until_ms", Sealed, "", Expires, "keyed hashes of codes and of whom they were sent to, ten minutes"},
	{"portal_count", "shard hash begin_ms last_ms n", Sealed, "", Expires, "how often codes were asked for, under keyed hashes; a day"},

	// The people who work here. They are told and erased by hand: there are few.
	{"staff", "id email name role password active merchants stores created_ms changed_ms signed_in_ms language theme", Staff, "", Stays, "accounts; the name and address are overwritten when somebody leaves"},
	{"staff_session", "id hash staff_id started_ms seen_ms ip user_agent", Staff, "", Expires, "signed-in browsers"},
	{"staff_state", "id version setup_hash setup_until_ms", Nobody, "", Stays, ""},
	{"api_key", "id hash prefix name scopes merchants stores test created_by created_ms until_ms used_ms revoked_ms networks replaces", Nobody, "", Stays, ""},

	// What colleagues work with for a while.
	{"stash", "id wrapped_key memo bytes stored until_ms", Sealed, "", Expires, "exports and uploads, a few days: sealed under a key of the file's own that goes with it; what they tell is exported itself"},
	{"stash_part", "stash_id n body", Sealed, "", Expires, "their content"},
	{"file_export", "id list format maker job_id stash_id row_n made_ms done_ms until_ms", Staff, "", Expires, "which lists colleagues have asked for"},
	{"file_import", "id kind state maker job_id stash_id errors_id dry_run report error made_ms done_ms until_ms", Staff, "", Expires, "which files colleagues have brought in"},
	{"saved_view", "id owner feature name query view_columns shared version changed_ms", Staff, "", Stays, "filters of lists; a search for a person is refused"},
	{"bulk_tag", "id plan maker job_id place members changed added removed refused made_ms done_ms", About, "", Expires, "which members colleagues tag together, 30 days: numbers of members, and filters that name nobody; the tags are exported themselves"},
	{"member_advisor", key + " staff_id since_ms", About, "", Deleted, "which colleague is responsible: it says nothing of the member"},
	{"mention", "staff_id id shard member_id what what_id by_whom at_ms read_ms", About, "", Deleted, "which colleague a note or call names; the note is exported itself"},
	{"shift", "id store_id till cashier opened_by opened_ms opening_cash closed_by closed_ms counted_cash expected_cash note report", Staff, "", Stays, "the shop's book-keeping: which cashier had which till"},

	// Of nobody.
	{"attribute", "key kind label_en label_zh choices personal archived", Nobody, "", Stays, ""},
	{"category", "id parent_id path name_en name_zh changed_ms", Nobody, "", Stays, ""},
	{"category_tree", "one version", Nobody, "", Stays, ""},
	{"consent_text", "purpose version text_en text_zh hash at_ms actor", Nobody, "", Stays, ""},
	{"currency", "id code kind name_en name_zh policy active version", Nobody, "", Stays, ""},
	{"event_dispatcher", "one owner until_ms position at_ms", Nobody, "", Stays, ""},
	{"day_sale", "store_id currency day sales total returns returned member_sales member_total member_returns member_returned", Nobody, "", Stays, ""},
	{"day_point", "store_id currency_id day issued opened redeemed restored expired clawed adjusted fees net", Nobody, "", Stays, ""},
	{"day_member", "store_id day joined", Nobody, "", Stays, ""},
	{"day_active", "scope scope_id day members first_members", Nobody, "", Stays, ""},
	{"rollup", "one zone built_ms", Nobody, "", Stays, ""},
	{"event_failure", "id subscriber first_position last_position tries next_ms at_ms error", Nobody, "", Stays, ""},
	{"fx_rate", "currency day rate", Nobody, "", Stays, ""},
	{"job", "id queue kind args state run_at_ms tries max_tries unique_key lease_until_ms lease_owner progress progress_total note error created_ms done_ms", Nobody, "", Expires, "arguments are ids and settings, see job.New"},
	{"job_schedule", "kind slot_ms", Nobody, "", Stays, ""},
	{"key_mark", "one fingerprint", Nobody, "", Stays, ""},
	{"logo", "id kind body changed_ms", Nobody, "", Stays, "the programme's own"},
	{"merchant", "id code name_en name_zh is_open created_ms changed_ms", Nobody, "", Stays, ""},
	{"product", "id sku name_en name_zh name_fold category_id brand cost price currency active learned changed_ms", Nobody, "", Stays, ""},
	{"program", "id version rates_version settings changed_ms", Nobody, "", Stays, ""},
	{"schema_version", "version name applied_ms", Nobody, "", Stays, ""},
	{"sequence", "name next", Nobody, "", Stays, ""},
	{"store", "id merchant_id code name_en name_zh zone address is_open created_ms changed_ms", Nobody, "", Stays, "addresses of shops"},
	{"till", "id store_id code is_open created_ms changed_ms", Nobody, "", Stays, ""},
}
