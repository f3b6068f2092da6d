/// A message of the push chat: `[secret#]user@platform@device:text`.
///
/// The grammar is that of the Eclipse Higgins proposal of 2010, whose demo this is.
struct ChatMessage: Hashable, Sendable {
  let user: String
  let platform: String
  let device: String
  let text: String
  /// What stood before `#`; never sent on and never logged.
  let secret: String?

  private static let nameCharacters = 64

  /// Why a text is no message.
  enum Refusal: Error, Hashable, Sendable {
    case malformed
  }

  init(_ whole: String) throws(Refusal) {
    guard let colon = whole.firstIndex(of: ":") else { throw .malformed }
    var sender = whole[..<colon]
    if let hash = sender.firstIndex(of: "#") {
      secret = String(sender[..<hash])
      sender = sender[sender.index(after: hash)...]
    } else {
      secret = nil
    }
    let names = sender.split(separator: "@", omittingEmptySubsequences: false)
    guard names.count == 3, names.allSatisfy(Self.isName) else { throw .malformed }
    user = String(names[0])
    platform = String(names[1])
    device = String(names[2])
    text = String(whole[whole.index(after: colon)...])
  }

  private static func isName(_ name: Substring) -> Bool {
    !name.isEmpty && name.count <= nameCharacters
      && name.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f && $0 != "#" }
  }

  /// The message as everybody gets it, without the secret.
  var sent: String { "\(user)@\(platform)@\(device):\(text)" }
}
