// Package disk is a disk whose power can be cut and which can be told to fail: a file
// system in memory, served through FUSE, with one folder.
//
// Life: Mount with the files it begins with; a program works on it; Cut returns what would
// be there after a power cut at this instant; Unmount.
//
// Laws: what was synced survives a cut. What was not may be there, in part, in any order,
// or not at all: see Loss. A name that was made, moved or taken away survives only once its
// folder was synced.
package disk
