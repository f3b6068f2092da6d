import Foundation

/// What a person types to unlock, prepared like an OpaqueString (RFC 8265): other spaces become
/// U+0020, then composed to NFC, so that two keyboards give the same bytes. Nothing is trimmed.
public final class Passphrase: Sendable, Confidential {
  /// 1,024 bytes: longer than anyone types, short enough to prepare without thought.
  public static let byteLimit = 1024

  let secret: Secret

  /// Throws ``VaultError/malformed(field:)`` for an empty text, a control character or bytes that
  /// are no UTF-8, and ``VaultError/overLimit(limit:value:)`` above ``byteLimit``.
  public init(utf8 bytes: [UInt8]) throws(VaultError) {
    guard !bytes.isEmpty else { throw .malformed(field: "passphrase") }
    let guarded = Secret(copying: bytes)
    secret = try guarded.withBytes { buffer throws(VaultError) in try Self.prepared(buffer) }
  }

  /// The same from guarded memory. Plain ASCII never leaves it.
  public init(_ bytes: borrowing SecretBytes) throws(VaultError) {
    secret = try bytes.withBytes { buffer throws(VaultError) in
      try Self.prepared(buffer)
    }
  }

  private static func prepared(_ bytes: UnsafeRawBufferPointer) throws(VaultError) -> Secret {
    guard !bytes.isEmpty else { throw .malformed(field: "passphrase") }
    guard bytes.count <= byteLimit else {
      throw .overLimit(limit: "passphrase bytes", value: bytes.count)
    }
    guard !bytes.contains(where: { $0 < 0x20 || $0 == 0x7f }) else {
      throw .malformed(field: "passphrase")
    }
    if bytes.allSatisfy({ $0 < 0x80 }) { return Secret(SecretBytes(copying: bytes)) }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw .malformed(field: "passphrase")
    }
    // The composed text passes through ordinary memory: there is no other way to normalise it.
    var composed = Array(Normalization.opaque(text).utf8)
    defer { composed.wipe() }
    guard !composed.isEmpty else { throw .malformed(field: "passphrase") }
    return Secret(copying: composed)
  }
}

/// The two Unicode preparations of the formats.
enum Normalization {
  /// Every space separator becomes U+0020, then NFC.
  static func opaque(_ text: String) -> String {
    var spaced = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      let isSpace = scalar.properties.generalCategory == .spaceSeparator
      spaced.append(isSpace ? " " : scalar)
    }
    return String(spaced).precomposedStringWithCanonicalMapping
  }

  /// Lower case, then NFC.
  static func folded(_ text: String) -> String {
    text.lowercased().precomposedStringWithCanonicalMapping
  }
}
