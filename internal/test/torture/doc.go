// Package torture kills the program, cuts its power, breaks its disk and its database, and
// looks at what is left.
//
// Life: TestMain builds the real binary; a test starts it on a data directory or a
// PostgreSQL database, sends it work over HTTP from a shop that writes down every answer,
// ends it in some violent way, starts it again and compares.
//
// Laws:
//   - Every answer that was given is still true: asked again with the same key it comes
//     back to the byte, and the money is there.
//   - What got no answer has one effect or none, and its key says which.
//   - Nothing is there that nobody sent.
//
// The shop keeps its notes in memory, without a sync: the process that is killed is the
// server's. The shop lives on, and with it what it knows.
//
// All of it stands behind the build tag "torture", since it takes minutes, root and
// /dev/fuse: `make torture` runs it. What is missing is an error, never left out.
package torture
