"""How a new release is made from an old one: packs are fetched as any artifact, and taken apart as they come."""
