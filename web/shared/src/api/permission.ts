/** What a role may do: the table in internal/staff/roles.go. A test compares this list with the API's file. */
export type Permission =
  | 'members.read' // see people, their identifiers and their timeline
  | 'members.write' // enrol people and change what they say of themselves
  | 'members.manage' // merge, block, erase, change the attribute schema
  | 'sales.read'
  | 'sales.write'
  | 'points.read'
  | 'points.write' // earn, spend, hold, transfer, top up
  | 'points.adjust' // correct a balance with a reason
  | 'points.approve' // be the second person for a large correction
  | 'catalog.read'
  | 'catalog.write'
  | 'rules.read'
  | 'rules.write'
  | 'lists.export' // take whole lists out as files
  | 'lists.import' // bring files in
  | 'rules.read' // see rules, offers, tiers and plans
  | 'rules.write' // change, publish and end them
  | 'events.read'
  | 'events.write'
  | 'reports.read'
  | 'program.manage' // settings, merchants, stores and tills
  | 'staff.manage'
  | 'keys.manage'
  | 'audit.read'
  | 'system.operate'; // import, back up, verify, run jobs by hand
