package reward

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"slices"
	"strings"

	"golang.org/x/image/draw"
	"golang.org/x/image/webp"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// Bounds of pictures.
const (
	maxUpload   = 8 << 20
	maxPixels   = 24_000_000 // what unpacks to 100 MB
	maxPictures = 6          // of one reward
	fullSide    = 1200
	thumbSide   = 400
)

// The refusals.
var (
	ErrPicture   = errs.New(errs.Invalid, "reward.picture", "A picture is a JPEG, PNG or WebP of at most {most} million pixels. SVG is not taken: it can hold scripts.", "图片须为 JPEG、PNG 或 WebP，不超过 {most} 百万像素。不接受 SVG，因其可能含有脚本。")
	ErrPictures  = errs.New(errs.Conflict, "reward.pictures", "A reward has at most {most} pictures.", "每个商品最多 {most} 张图片。")
	ErrNoPicture = errs.New(errs.NotFound, "reward.no_picture", "There is no such picture.", "没有这张图片。")
)

var (
	putPictureSQL = db.Define("reward.putPicture", `
		INSERT INTO reward_picture (hash, kind, width, height, body, thumb, made_ms)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (hash) DO NOTHING`)
	pictureSQL = db.Define("reward.picture", `
		SELECT kind, body
		FROM reward_picture
		WHERE hash = $1`)
	thumbSQL = db.Define("reward.thumb", `
		SELECT kind, thumb
		FROM reward_picture
		WHERE hash = $1`)
	dropPictureSQL = db.Define("reward.dropPicture", `
		DELETE FROM reward_picture
		WHERE hash = $1`)
	setPicturesSQL = db.Define("reward.setPictures", `
		UPDATE reward
		SET pictures = $2, changed_ms = $3
		WHERE id = $1`)
)

// Picture is one as it is served.
type Picture struct {
	Kind string // image/jpeg or image/png
	Body []byte
	Hash string
}

func pictureURL(hash string, thumb bool) string {
	if thumb {
		return "/portal/v1/reward-pictures/" + hash + "?size=thumb"
	}
	return "/portal/v1/reward-pictures/" + hash
}

// drawn is a picture that was taken apart and drawn anew: nothing that was written beside its
// pixels, as where it was taken, is left.
type drawn struct {
	kind          string
	width, height int
	body, thumb   []byte
}

// redraw reads a picture for what it is, whatever its sender calls it.
func redraw(upload []byte) (*drawn, error) {
	refusal := ErrPicture.With("most", maxPixels/1_000_000).At("body")
	var src image.Image
	for _, f := range []struct {
		config func([]byte) (image.Config, error)
		decode func([]byte) (image.Image, error)
	}{
		{func(b []byte) (image.Config, error) { return jpeg.DecodeConfig(bytes.NewReader(b)) }, func(b []byte) (image.Image, error) { return jpeg.Decode(bytes.NewReader(b)) }},
		{func(b []byte) (image.Config, error) { return png.DecodeConfig(bytes.NewReader(b)) }, func(b []byte) (image.Image, error) { return png.Decode(bytes.NewReader(b)) }},
		{func(b []byte) (image.Config, error) { return webp.DecodeConfig(bytes.NewReader(b)) }, func(b []byte) (image.Image, error) { return webp.Decode(bytes.NewReader(b)) }},
	} {
		c, err := f.config(upload)
		if err != nil {
			continue
		}
		if c.Width < 1 || c.Height < 1 || c.Width > maxPixels || c.Height > maxPixels || c.Width*c.Height > maxPixels {
			return nil, refusal // before anything is unpacked
		}
		if src, err = f.decode(upload); err != nil {
			return nil, refusal
		}
		break
	}
	if src == nil {
		return nil, refusal
	}
	src = upright(src, orientation(upload))
	full := shrink(src, fullSide)
	out := &drawn{width: full.Bounds().Dx(), height: full.Bounds().Dy()}
	opaque := full.Opaque()
	out.kind = "image/png"
	if opaque {
		out.kind = "image/jpeg"
	}
	var err error
	if out.body, err = encode(full, opaque); err != nil {
		return nil, err
	}
	out.thumb, err = encode(shrink(full, thumbSide), opaque)
	return out, err
}

func encode(m image.Image, opaque bool) ([]byte, error) {
	var b bytes.Buffer
	if !opaque {
		err := png.Encode(&b, m)
		return b.Bytes(), err
	}
	err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 85})
	return b.Bytes(), err
}

// shrink draws a picture so that neither side is longer than side.
func shrink(src image.Image, side int) *image.RGBA {
	w, h := src.Bounds().Dx(), src.Bounds().Dy()
	if longest := max(w, h); longest > side {
		w, h = max(1, w*side/longest), max(1, h*side/longest)
	}
	dst := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.CatmullRom.Scale(dst, dst.Bounds(), src, src.Bounds(), draw.Src, nil)
	return dst
}

// upright turns a picture as its camera was held: 1 to 8 as in EXIF, of which a redrawn picture
// says nothing any more.
func upright(src image.Image, turn int) image.Image {
	if turn < 2 || turn > 8 {
		return src
	}
	b := src.Bounds()
	w, h := b.Dx(), b.Dy()
	if turn >= 5 {
		w, h = h, w
	}
	dst := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			sx, sy := x, y
			switch turn {
			case 2:
				sx = w - 1 - x
			case 3:
				sx, sy = w-1-x, h-1-y
			case 4:
				sy = h - 1 - y
			case 5:
				sx, sy = y, x
			case 6:
				sx, sy = y, w-1-x
			case 7:
				sx, sy = h-1-y, w-1-x
			case 8:
				sx, sy = h-1-y, x
			}
			dst.Set(x, y, src.At(b.Min.X+sx, b.Min.Y+sy))
		}
	}
	return dst
}

// orientation is tag 0x0112 of the EXIF part of a JPEG (CIPA DC-008, 4.6.4), or 1.
func orientation(b []byte) int {
	if len(b) < 4 || b[0] != 0xFF || b[1] != 0xD8 {
		return 1
	}
	for at := 2; at+4 <= len(b) && b[at] == 0xFF; {
		size := int(binary.BigEndian.Uint16(b[at+2:]))
		if size < 2 || at+2+size > len(b) || b[at+1] == 0xDA {
			return 1
		}
		if part := b[at+4 : at+2+size]; b[at+1] == 0xE1 && bytes.HasPrefix(part, []byte("Exif\x00\x00")) {
			return turnOf(part[6:])
		}
		at += 2 + size
	}
	return 1
}

func turnOf(tiff []byte) int {
	if len(tiff) < 8 {
		return 1
	}
	var order binary.ByteOrder = binary.BigEndian
	if tiff[0] == 'I' {
		order = binary.LittleEndian
	}
	first := int64(order.Uint32(tiff[4:]))
	if first+2 > int64(len(tiff)) {
		return 1
	}
	for i := range int64(order.Uint16(tiff[first:])) {
		at := first + 2 + 12*i
		if at+12 > int64(len(tiff)) {
			return 1
		}
		if order.Uint16(tiff[at:]) == 0x0112 {
			return int(order.Uint16(tiff[at+8:]))
		}
	}
	return 1
}

// AddPicture draws an upload anew, keeps it, and puts it behind the pictures of a reward.
func (s *Service) AddPicture(ctx context.Context, ref string, upload []byte) (*Reward, error) {
	r, err := s.Find(ref)
	if err != nil {
		return nil, err
	}
	if err := limited(ctx); err != nil {
		return nil, err
	}
	s.drawing.Lock()
	p, err := redraw(upload)
	s.drawing.Unlock()
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(p.body)
	hash := hex.EncodeToString(sum[:16])
	return s.pictures(ctx, r, func(ctx context.Context, tx *db.Tx, list []string) ([]string, error) {
		if slices.Contains(list, hash) {
			return list, nil
		}
		if len(list) >= maxPictures {
			return nil, ErrPictures.With("most", maxPictures)
		}
		_, err := tx.Exec(ctx, putPictureSQL, hash, p.kind, p.width, p.height, p.body, p.thumb, s.nowMS())
		return append(slices.Clone(list), hash), err
	})
}

// ArrangePictures puts the pictures of a reward in another order; those that are left out are
// taken away.
func (s *Service) ArrangePictures(ctx context.Context, ref string, order []string) (*Reward, error) {
	r, err := s.Find(ref)
	if err != nil {
		return nil, err
	}
	return s.pictures(ctx, r, func(ctx context.Context, tx *db.Tx, list []string) ([]string, error) {
		for i, hash := range order {
			if !slices.Contains(list, hash) || slices.Contains(order[:i], hash) {
				return nil, ErrNoPicture.At(fmt.Sprintf("body.pictures[%d]", i))
			}
		}
		return order, s.dropPictures(ctx, tx, r, list, order)
	})
}

// dropPictures removes pictures that no reward shows any more.
func (s *Service) dropPictures(ctx context.Context, tx *db.Tx, r *Reward, was, is []string) error {
	all, err := readRewards(ctx, tx)
	if err != nil {
		return err
	}
	for _, hash := range was {
		used := slices.Contains(is, hash) || slices.ContainsFunc(all, func(x *Reward) bool { return x.ID != r.ID && slices.Contains(x.Pictures, hash) })
		if used {
			continue
		}
		if _, err := tx.Exec(ctx, dropPictureSQL, hash); err != nil {
			return err
		}
	}
	return nil
}

// pictures changes the list of a reward's pictures. It makes no version: orders show what there
// is.
func (s *Service) pictures(ctx context.Context, r *Reward, edit func(ctx context.Context, tx *db.Tx, list []string) ([]string, error)) (*Reward, error) {
	err := s.change(ctx, func(ctx context.Context, tx *db.Tx) error {
		was, err := read(ctx, tx, r.ID)
		if err != nil {
			return err
		}
		list, err := edit(ctx, tx, was.Pictures)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, setPicturesSQL, r.ID, strings.Join(list, " "), s.nowMS()); err != nil {
			return err
		}
		return s.o.Audit.Record(ctx, tx, "reward.pictures", r.PublicID(), map[string]any{"pictures": was.Pictures}, map[string]any{"pictures": list})
	})
	if err != nil {
		return nil, fmt.Errorf("pictures of reward %s: %w", r.Code, err)
	}
	return s.Find(r.PublicID())
}

// Picture reads one as it is served.
func (s *Service) Picture(ctx context.Context, hash string, thumb bool) (*Picture, error) {
	p := &Picture{Hash: hash}
	stmt := pictureSQL
	if thumb {
		stmt = thumbSQL
	}
	err := s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		return tx.QueryRow(ctx, stmt, hash).Scan(&p.Kind, &p.Body)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNoPicture
	}
	if err != nil {
		return nil, fmt.Errorf("read a picture: %w", err)
	}
	return p, nil
}
