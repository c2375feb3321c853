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
	{"account", key + " entry_n sale_n event_n may_earn may_spend merged_into first_hold activity", About, "", Stays, "counters and switches of the ledger"},
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

	{"tier_member", key + " tier body", About, "tiers", Stays, "in which tier they stand; reasons of locks are colleagues' own words, wiped from body at erasure"},
	{"tier_member", "next_day", About, "", Stays, "when to look at them again"},
	{"tier_history", key + " seq scheme_id kind from_tier to_tier day until_day at_ms evidence", About, "tier_history", Stays, "what changed their tier, with the sums that counted"},
	{"tier_history", "actor", About, "", Stays, "which colleague did it by hand"},
	{"tier_history", "reason", Free, "tier_history.reason", Wiped, "why a colleague gave a tier by hand"},
	{"tier_due", key, About, "", Expires, "who is to be looked at soon, for seconds"},

	// What they bought and did.
	{"sale", key + " seq kind state source document store_id till channel currency total at_ms posted_ms of_member of_seq flags", About, "sales", Stays, "the shop's book-keeping"},
	{"sale", "owner_id next_seq effect staff", About, "", Stays, "whose it is, what it moved (exported as entries), and which colleague sold"},
	{"sale", "body", Free, "sales", Wiped, "see sale.body"},
	{"sale.body", "l", About, "sale_lines", Stays, "lines: what was bought"},
	{"sale.body", "d", About, "sale_payments", Stays, "discounts of the till: names of promotions"},
	{"sale.body", "p", Free, "sale_payments.reference", Wiped, "payments; kind and amount stay, the reference goes"},
	{"sale.body", "cp", About, "", Stays, "codes of coupons it was sent with; those that were redeemed are exported"},
	{"sale.body", "a", Free, "sales.attributes", Wiped, "what tills write beside a sale"},
	{"sale.body", "of u w b", About, "", Stays, "how returns wait for their sale"},
	{"sale.body.l", "n s t c b q m rq rm", About, "sale_lines", Stays, "the line"},
	{"sale.body.l", "o", About, "", Stays, "what was taken off: the discounts of the sale say it"},
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

	// Which plans they pay for.
	{"plan_member", key + " n plan_id started anchor until_day paid ended why", About, "memberships", Stays, "the shop's book-keeping: what they paid for and until when"},
	{"plan_member", "grace cancelled auto reminded lapsed period_n next_day via", About, "", Stays, "counters and hints; what they amount to is exported"},
	{"plan_period", key + " seq n k plan_id from_day until_day amount currency method paid_ms refunded refund_ms refund_method gifts", About, "plan_payments", Stays, "the shop's book-keeping: payments"},
	{"plan_period", "plan_version charge_id paid_day refund_day", About, "", Stays, "numbers of the program's own"},
	{"plan_period", "reference reason refund_reference refund_reason", Free, "plan_payments.reference plan_payments.reason plan_payments.refund_reference plan_payments.refund_reason", Wiped, "by which the payment is found at whoever took it, and what colleagues wrote beside it"},
	{"plan_ended", key + " n plan_id started paid ended why", About, "memberships", Stays, "memberships that are over"},
	{"plan_ended", "anchor", About, "", Stays, "where its periods were counted from"},
	{"plan_charge", "id " + key + " plan_id n k try provider amount currency state reference refund made_ms changed_ms", About, "", Stays, "what payment providers were asked for; what came of it is exported as payments"},
	{"plan_charge", "url error", Free, "", Wiped, "where the member pays, and why it failed"},

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

	// What they are invited to, and win.
	{"member_offer", key + " next_ms body", About, "", Stays, "which offers a member follows, with progress, and badges: numbers, amounts and times; exported as offers and badges"},
	{"offer_instance", "shard member_id seq offer_id step received_ms done_ms body", About, "offers", Stays, "which offers a member received, and what became of them"},
	{"member_draw", key + " body", About, "", Stays, "where a member stands with draws: how often they played, ever, on the last day and since their last prize; the plays are exported one by one"},
	{"draw_play", "shard member_id seq draw_id epoch n at_ms prize code handed_ms body", About, "plays", Stays, "which draws a member played, and what they won"},
	{"member_check_in", key + " day run total", About, "check_ins", Stays, "on how many days in a row a member checked in"},
	{"offer_target", "sending_id n member_id at_ms", About, "", Expires, "to whom an offer is being sent; gone when it is sent"},
	{"leaderboard_score", "board_id cycle shard member_id score reached_ms hidden", About, "leaderboards", Stays, "what a member came to in a cycle"},
	{"leaderboard_result", "board_id cycle place shard member_id score reached_ms currency_id amount given", About, "leaderboards", Stays, "which place a member took, and what it won"},
	{"leaderboard_opt_out", key + " at_ms", About, "leaderboards", Stays, "that a member does not want to be on leaderboards"},

	{"voucher", "shard code member_id coupon_id version state from_ms until_ms end_ms issued_ms claimed_ms first_ms used_ms used_n off sale_member sale_seq hold_by hold_until_ms batch_id origin gift gift_until_ms step_n", About, "vouchers", Stays, "which vouchers a member was given, and what became of them; those that can be used are taken back with an erasure"},
	{"voucher_step", "shard code n step at_ms member_id store_id till sale_member sale_seq amount", About, "", Stays, "the history of each voucher, which its own line sums up"},
	{"voucher_step", "actor staff", Staff, "", Stays, "which colleague or till did it"},
	{"voucher_batch", "id kind coupon_id name state plan job_id place total looked issued passed refused made_ms done_ms", Nobody, "", Stays, "what was printed or sent to many"},
	{"voucher_batch", "maker", Staff, "", Stays, "who asked for it"},
	{"voucher_target", "batch_id n member_id", About, "", Expires, "to whom a coupon is being sent; gone when it is sent"},
	{"coupon_reach", "coupon_id shard member_id at_ms", About, "", Stays, "that a member has used a coupon, for its figures; the vouchers are exported themselves"},

	// Of nobody.
	{"coupon", "id code shared_code state version terms made_ms changed_ms ended_ms", Nobody, "", Stays, ""},
	{"coupon_version", "coupon_id version terms actor at_ms", Nobody, "", Stays, ""},
	{"coupon_config", "one version", Nobody, "", Stays, ""},
	{"price_list", "id code state version terms made_ms changed_ms", Nobody, "", Stays, ""},
	{"price_item", "list_id n kind ref price percent", Nobody, "", Stays, ""},
	{"price_config", "one version", Nobody, "", Stays, ""},
	{"day_coupon", "coupon_id day issued claimed redeemed reversed revoked expired off sales sold", Nobody, "", Stays, ""},
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
	{"plan", "id code state version terms made_ms changed_ms", Nobody, "", Stays, ""},
	{"plan_book", "one version", Nobody, "", Stays, ""},
	{"plan_version", "plan_id version state terms at_ms by_whom", Nobody, "", Stays, ""},
	{"rule", "id code version draft revision created_ms changed_ms", Nobody, "", Stays, "what the programme gives"},
	{"rule_version", "rule_id version definition published_ms", Nobody, "", Stays, "what the programme gave"},
	{"rule_version", "published_by", Staff, "", Stays, "who published it"},
	{"rule_run", "rule_id seq version from_ms", Nobody, "", Stays, ""},
	{"rule_group", "code name_en name_zh mode stage revision", Nobody, "", Stays, ""},
	{"rule_config", "one version", Nobody, "", Stays, ""},
	{"rule_use", key + " body", About, "", Stays, "points by day and rule, which the entries show one by one; without it a cap could be passed"},
	{"rule_budget", "id used", Nobody, "", Stays, ""},
	{"checkout", key + " id state store_id made_ms until_ms sale_member sale_seq", About, "", Expires, "a basket that was quoted, for a month after its end"},
	{"checkout", "body", Free, "", Expires, "the basket and what was held for it; the sale that it became is exported"},
	{"offline_conflict", key + " id sale_seq store_id till kind state outcome ref why amount worth at_ms posted_ms settled_ms", About, "", Stays, "what a till gave without a line and the books did not hold; the sale itself is exported"},
	{"offline_conflict", "settled_by note", Staff, "", Stays, "who settled it, and why"},
	{"offline_key", "id made_ms retired_ms public sealed", Nobody, "", Stays, ""},
	{"quota", "shard kind id part span used amount holds", About, "", Stays, "how much was taken of what there is only so much of, of some by member; without it a limit could be passed"},
	{"quota_kin", key + " kin", About, "", Stays, "which records were merged into a member; without it a limit could be passed"},
	{"rule_given", "rule_id day points times", Nobody, "", Stays, ""},
	{"event_earned", key + " seq body", About, "", Stays, "lots that an event gave, which the entries show"},
	{"rule_failure", key + " seq rule_id version at_ms code reason_en reason_zh done_ms", About, "", Stays, "which rule could not be worked out for a sale"},
	{"rule_test", "id job_id state asked report error made_ms done_ms done_n total_n", Nobody, "", Stays, "back-tests: sums, and at most 40 members by number"},
	{"rule_test", "made_by", Staff, "", Stays, "who asked"},
	{"draw", "id code state version terms made_ms changed_ms ended_ms", Nobody, "", Stays, ""},
	{"draw_version", "draw_id version terms actor at_ms", Nobody, "", Stays, ""},
	{"draw_config", "one version", Nobody, "", Stays, ""},
	{"draw_state", "draw_id version live epoch play_n table_n body", Nobody, "", Stays, "sums over the plays of a draw"},
	{"draw_epoch", "draw_id epoch from_ms until_ms hash sealed seed closed_ms play_n head", Nobody, "", Stays, "seeds: sealed until the end of the epoch, then public"},
	{"draw_odds", "draw_id number epoch from_n body", Nobody, "", Stays, ""},
	{"draw_line", "draw_id epoch n body", Nobody, "", Stays, "plays as they are published: under a mark that nobody can trace once the epoch is over"},
	{"offer", "id code state version terms made_ms changed_ms ended_ms", Nobody, "", Stays, ""},
	{"reward_member", key + " order_n", About, "", Stays, "how many orders of rewards a member made; they are exported one by one"},
	{"reward_order", key + " seq reward_id version state store_id currency_id points money until_ms made_ms changed_ms", About, "reward_orders", Stays, "the shop's book-keeping: what was had for points, and when"},
	{"reward_order", "stock_store stocked", About, "", Stays, "in which stock an order is counted"},
	{"reward_order", "body", About, "reward_orders", Stays, "how it was paid and which lots and limits it counts for; what was written about the payment is wiped"},
	{"reward_order", "pickup", About, "", Wiped, "a keyed hash by which an order is found at the till"},
	{"reward_order", "address", Sealed, "reward_orders.address", Destroyed, "where goods are shipped to; sealed under the record's own key"},
	{"reward_order", "carrier tracking gift", Free, "reward_orders.carrier reward_orders.tracking reward_orders.code", Wiped, "who brings it under which number, and the code that was given"},
	{"reward_order_step", key + " seq n step at_ms", About, "reward_orders.history", Stays, "what happened to an order"},
	{"reward_order_step", "actor store_id", Staff, "", Stays, "which colleague did it, and where"},
	{"reward_order_step", "note", Free, "", Wiped, "what colleagues wrote beside it for each other"},
	{"reward_wish", key + " reward_id at_ms", About, "reward_wishes", Deleted, "what they wish for, to be told when it is back"},
	{"reward_code", "reward_id n hash code", Nobody, "", Stays, ""},
	{"reward_code", "member_id order_seq at_ms", About, "", Stays, "to which order a code of a third party was handed out; the order is exported with it"},
	{"reward", "id code state version terms pictures made_ms changed_ms", Nobody, "", Stays, ""},
	{"reward_version", "reward_id version terms actor at_ms", Nobody, "", Stays, ""},
	{"reward_config", "one version", Nobody, "", Stays, ""},
	{"reward_stock", "reward_id store_id n drawn gone round", Nobody, "", Stays, ""},
	{"reward_picture", "hash kind width height body thumb made_ms", Nobody, "", Stays, ""},
	{"offer_version", "offer_id version terms actor at_ms", Nobody, "", Stays, ""},
	{"offer_config", "one version check_in", Nobody, "", Stays, ""},
	{"offer_sending", "id offer_id name state plan maker approval job_id place total looked sent passed refused made_ms done_ms", Nobody, "", Stays, "what was sent or given to many, and by whom it was asked for"},
	{"day_offer", "offer_id day currency_id received viewed accepted completed expired cancelled given", Nobody, "", Stays, ""},
	{"badge", "id code terms active version made_ms changed_ms", Nobody, "", Stays, ""},
	{"leaderboard", "id code state terms version frozen made_ms changed_ms", Nobody, "", Stays, ""},
	{"product", "id sku name_en name_zh name_fold category_id brand cost price currency active learned changed_ms", Nobody, "", Stays, ""},
	{"program", "id version rates_version settings changed_ms", Nobody, "", Stays, ""},
	{"schema_version", "version name applied_ms", Nobody, "", Stays, ""},
	{"sequence", "name next", Nobody, "", Stays, ""},
	{"store", "id merchant_id code name_en name_zh zone address is_open created_ms changed_ms", Nobody, "", Stays, "addresses of shops"},
	{"tier_scheme", "id code state version edited draft live changed_ms", Nobody, "", Stays, ""},
	{"tier_sweep", "one round shard member_id", Nobody, "", Stays, "how far a job is"},
	{"tier_try", "id scheme draft maker job_id result made_ms done_ms", Staff, "", Expires, "what colleagues tried on the tiers, 30 days: counts, and numbers of a few members"},
	{"tier_version", "scheme_id version body actor at_ms", Nobody, "", Stays, "who published it stands beside it"},
	{"till", "id store_id code is_open created_ms changed_ms", Nobody, "", Stays, ""},
}
