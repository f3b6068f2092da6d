import Wire

/// Joins plain fields and keys into one padded plaintext that only ever lies in guarded memory.
struct SecretWriter {
  private enum Part {
    case plain([UInt8])
    case secret(Secret)

    var count: Int {
      switch self {
      case .plain(let bytes): bytes.count
      case .secret(let secret): secret.count
      }
    }
  }

  private var parts: [Part] = []

  mutating func write(_ value: some FixedWidthInteger & UnsignedInteger) {
    var writer = ByteWriter()
    writer.write(value)
    parts.append(.plain(writer.bytes))
  }

  mutating func write(_ bytes: [UInt8]) {
    parts.append(.plain(bytes))
  }

  mutating func write(_ secret: Secret) {
    parts.append(.secret(secret))
  }

  /// A length in two bytes, then the text's UTF-8.
  mutating func write(_ text: String) {
    let bytes = Array(text.utf8)
    write(UInt16(bytes.count))
    write(bytes)
  }

  /// A count in one byte, then each head in the order of the device ids.
  mutating func write(_ frontier: Frontier) {
    let heads = frontier.sorted
    write(UInt8(heads.count))
    for (device, head) in heads {
      write(device.bytes)
      write(head.sequence)
      write(head.hash.bytes)
    }
  }

  /// A count in two bytes, then each epoch's number and root key, oldest first.
  mutating func write(_ epochs: [UInt32: EpochKeys]) {
    write(UInt16(epochs.count))
    for (number, keys) in epochs.sorted(by: { $0.key < $1.key }) {
      write(number)
      write(keys.root)
    }
  }

  /// All fields, padded like a commit.
  func padded() -> Secret {
    let count = parts.reduce(0) { $0 + $1.count }
    let bytes = SecretBytes(count: Padding.paddedCount(count)) { output in
      output.storeBytes(of: UInt32(count).bigEndian, as: UInt32.self)
      var offset = Padding.prefixBytes
      for part in parts {
        let place = UnsafeMutableRawBufferPointer(rebasing: output[offset...])
        switch part {
        case .plain(let bytes): place.copyBytes(from: bytes)
        case .secret(let secret): secret.withBytes { place.copyMemory(from: $0) }
        }
        offset += part.count
      }
    }
    return Secret(bytes)
  }
}

/// Reads what ``SecretWriter`` wrote, keys straight into guarded memory.
struct SecretReader {
  private var rest: Slice<UnsafeRawBufferPointer>

  /// Reads the fields inside a padded plaintext; the reader must not leave `body`.
  static func read<Value>(
    _ padded: Secret, _ body: (inout SecretReader) throws(VaultError) -> Value
  ) throws(VaultError) -> Value {
    try padded.withBytes { buffer throws(VaultError) in
      var reader = SecretReader(rest: buffer[try Padding.contents(of: buffer)])
      let value = try body(&reader)
      guard reader.rest.isEmpty else { throw .malformed(field: "trailing bytes") }
      return value
    }
  }

  private mutating func take(_ count: Int) throws(VaultError) -> UnsafeRawBufferPointer {
    guard rest.count >= count else { throw .malformed(field: "length") }
    defer { rest = rest.dropFirst(count) }
    return UnsafeRawBufferPointer(rebasing: rest.prefix(count))
  }

  mutating func integer<Value: FixedWidthInteger & UnsignedInteger>(
    _: Value.Type = Value.self
  ) throws(VaultError) -> Value {
    try take(Value.bitWidth / 8).reduce(0) { $0 << 8 | Value($1) }
  }

  mutating func bytes(_ count: Int) throws(VaultError) -> [UInt8] {
    Array(try take(count))
  }

  mutating func secret(_ count: Int) throws(VaultError) -> Secret {
    Secret(SecretBytes(copying: try take(count)))
  }

  mutating func text() throws(VaultError) -> String {
    let bytes = try take(Int(try integer(UInt16.self)))
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw .malformed(field: "text")
    }
    return text
  }

  mutating func digest() throws(VaultError) -> Digest32 {
    guard let digest = Digest32(bytes: try take(Digest32.byteCount)) else {
      throw .malformed(field: "digest")
    }
    return digest
  }

  mutating func device() throws(VaultError) -> DeviceID {
    guard let device = DeviceID(bytes: try take(DeviceID.byteCount)) else {
      throw .malformed(field: "device")
    }
    return device
  }

  mutating func frontier() throws(VaultError) -> Frontier {
    let count = Int(try integer(UInt8.self))
    guard count <= Limits.devices else { throw .overLimit(limit: "devices", value: count) }
    var frontier = Frontier()
    for _ in 0..<count {
      let device = try device()
      guard frontier[device] == nil else { throw .malformed(field: "frontier") }
      frontier[device] = Head(sequence: try integer(), hash: try digest())
    }
    return frontier
  }

  mutating func epochs(account: AccountID) throws(VaultError) -> [UInt32: EpochKeys] {
    let count = Int(try integer(UInt16.self))
    var epochs: [UInt32: EpochKeys] = [:]
    for _ in 0..<count {
      let number = try integer(UInt32.self)
      let keys = EpochKeys(root: try secret(Cipher.keyBytes), account: account)
      guard epochs.updateValue(keys, forKey: number) == nil else {
        throw .malformed(field: "epochs")
      }
    }
    guard epochs[0] != nil else { throw .malformed(field: "epochs") }
    return epochs
  }
}
