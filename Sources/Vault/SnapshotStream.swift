import CSodium
import Wire

/// The stream that seals a snapshot's chunks: libsodium's `crypto_secretstream`, whose layout is in
/// `Formats.md`.
struct SnapshotStream: Sendable {
  /// 64 KiB: chunks are whole blocks, so that lengths say little.
  static let blockBytes = 64 * 1024
  static let headerBytes = 24
  /// The sealed tag, and the authenticator of 16 bytes.
  static let overheadBytes = 17
  private static let lengthBytes = 4

  private var state = crypto_secretstream_xchacha20poly1305_state()
  let header: [UInt8]
  private let additional: [UInt8]

  /// A stream at its beginning, for sealing with a fresh random header or for opening with the one
  /// that was recorded.
  ///
  /// libsodium's own start for sealing differs only in that it draws the header itself; here it
  /// comes from the entropy passed in, so that a simulated run repeats.
  init(key: Secret, account: AccountID, header: [UInt8]) {
    precondition(header.count == Self.headerBytes, "the header of a stream is 24 bytes")
    Sodium.start()
    self.header = header
    additional = Purpose.snapshot.label + account.bytes
    let result = key.withBytes {
      crypto_secretstream_xchacha20poly1305_init_pull(&state, header, $0.octets)
    }
    precondition(result == 0, "a stream can always be begun")
  }

  /// How long the chunk of a piece of `count` bytes is.
  static func sealedCount(_ count: Int) -> Int {
    (count + lengthBytes + blockBytes - 1) / blockBytes * blockBytes + overheadBytes
  }

  mutating func push(_ piece: [UInt8], isLast: Bool) -> [UInt8] {
    var sealed = [UInt8](repeating: 0, count: Self.sealedCount(piece.count))
    var writer = ByteWriter()
    writer.write(UInt32(piece.count))
    writer.write(piece)
    let rest = sealed.count - Self.overheadBytes - writer.bytes.count
    let padded = writer.bytes + [UInt8](repeating: 0, count: rest)
    let result = crypto_secretstream_xchacha20poly1305_push(
      &state, &sealed, nil, padded, UInt64(padded.count), additional, UInt64(additional.count),
      isLast ? crypto_secretstream_xchacha20poly1305_tag_final() : 0)
    precondition(result == 0, "sealing cannot fail")
    return sealed
  }

  mutating func pull(_ chunk: [UInt8], isLast: Bool) throws(VaultError) -> [UInt8] {
    let count = chunk.count - Self.overheadBytes
    guard count > 0, count % Self.blockBytes == 0, chunk.count <= Limits.snapshotChunkBytes else {
      throw .malformed(field: "chunk")
    }
    var padded = [UInt8](repeating: 0, count: count)
    var tag: UInt8 = 0
    let result = crypto_secretstream_xchacha20poly1305_pull(
      &state, &padded, nil, &tag, chunk, UInt64(chunk.count), additional,
      UInt64(additional.count))
    guard result == 0, tag == (isLast ? crypto_secretstream_xchacha20poly1305_tag_final() : 0)
    else { throw .cannotOpen }
    let length = padded.prefix(Self.lengthBytes).reduce(0) { $0 << 8 | Int($1) }
    let end = Self.lengthBytes + length
    // One piece has one form: as few blocks as hold it, and zeros behind it.
    guard chunk.count == Self.sealedCount(length), padded[end...].allSatisfy({ $0 == 0 }) else {
      throw .malformed(field: "padding")
    }
    return Array(padded[Self.lengthBytes..<end])
  }
}
