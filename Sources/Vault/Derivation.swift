import Crypto
import Foundation
import Wire

/// What a derived key is for. Every key has one purpose, and its name is part of the derivation.
enum Purpose: String {
  case data, row, name, snapshot
  case snapshotManifest = "snapshot-manifest"
  case slot
  case slotCommitment = "slot-commit"
  case local
  case localCommitment = "local-commit"
  case login
  case rendezvous
  case pairOffer = "pair-offer"
  case pairSecret = "pair-psk"
  case pairWords = "pair-words"
  case epochKey = "epoch-key"
  case epochCommitment = "epoch-commit"

  /// `"ctx/v1/"` and the purpose's name.
  var label: [UInt8] { Array("ctx/v1/\(rawValue)".utf8) }
}

extension Secret {
  /// HKDF-SHA256 (RFC 5869) with this as key material and the purpose's label, followed by
  /// `context`, as info.
  func derived(
    _ purpose: Purpose, salt: [UInt8], context: [UInt8] = [], count: Int = 32
  ) -> Secret {
    let key = withBytes { material in
      HKDF<SHA256>.deriveKey(
        inputKeyMaterial: SymmetricKey(data: material), salt: salt,
        info: purpose.label + context, outputByteCount: count)
    }
    return key.withUnsafeBytes { Secret(SecretBytes(copying: $0)) }
  }

  /// HMAC-SHA256 of the purpose's label under this key. It commits a ciphertext to its key: no
  /// other key has the same, so that one blob cannot open under two passphrases.
  func commitment(_ purpose: Purpose) -> [UInt8] {
    withBytes { key in
      Array(
        HMAC<SHA256>.authenticationCode(for: purpose.label, using: SymmetricKey(data: key)))
    }
  }
}
