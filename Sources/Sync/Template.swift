/// What contexts of a kind usually hold: offered when attributes are added, never demanded.
public struct Template: Hashable, Sendable {
  public struct Entry: Hashable, Sendable {
    public let label: String
    public let kind: AttributeRecord.Kind
    public let isConcealed: Bool

    init(_ label: String, _ kind: AttributeRecord.Kind, isConcealed: Bool? = nil) {
      self.label = label
      self.kind = kind
      self.isConcealed = isConcealed ?? kind.isConcealedByDefault
    }
  }

  public let entries: [Entry]

  /// The labels are those that imports and exports know.
  public init(of kind: ContextRecord.Kind) {
    entries =
      switch kind {
      case .account:
        [Entry("username", .username), Entry("password", .password), Entry("url", .url)]
      case .personal:
        [
          Entry("name", .text), Entry("email", .email), Entry("phone", .phone),
          Entry("address", .address),
        ]
      case .card:
        [
          Entry("cardholder", .text), Entry("number", .card), Entry("expiry month", .text),
          Entry("expiry year", .text), Entry("security code", .text, isConcealed: true),
        ]
      case .note: [Entry("notes", .note)]
      default: []
      }
  }

  /// What the context has not yet: neither the label nor, where it has a meaning of its own, the
  /// kind.
  public func missing(in record: ContextRecord) -> [Entry] {
    entries.filter { entry in
      !record.attributes.contains {
        $0.label.lowercased() == entry.label || entry.kind != .text && $0.kind == entry.kind
      }
    }
  }
}
