/** Ways to change one thing in a JSON value: each of them, and of the letters of a text each so many’th. */
export function* changesOf(
  value: unknown,
  where = '',
  every = 1,
): Generator<{ json: unknown; where: string }> {
  if (typeof value === 'string') {
    for (let at = 0; at < value.length; at += every) {
      const other = value[at] === '1' ? '2' : '1';
      yield { json: value.slice(0, at) + other + value.slice(at + 1), where: `${where}[${at}]` };
    }
    yield { json: `${value}0`, where: `${where} longer` };
  } else if (typeof value === 'number') {
    for (const other of [value + 1, value - 1, value + 0.5, String(value)]) {
      yield { json: other, where: `${where} ${other}` };
    }
  } else if (Array.isArray(value)) {
    for (const [at, element] of value.entries()) {
      yield { json: value.toSpliced(at, 1), where: `${where} without ${at}` };
      yield { json: value.toSpliced(at, 0, element), where: `${where} with ${at} twice` };
      for (const { json, where: inner } of changesOf(element, `${where}[${at}]`, every)) {
        yield { json: value.with(at, json), where: inner };
      }
    }
    if (value.length > 1) yield { json: value.toReversed(), where: `${where} reversed` };
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, field] of Object.entries(value)) {
      const rest = Object.fromEntries(Object.entries(value).filter(([other]) => other !== name));
      if (field !== null) yield { json: rest, where: `${where} without ${name}` };
      yield { json: { ...value, [name]: field === null ? {} : null }, where: `${where}.${name} null` };
      for (const { json, where: inner } of changesOf(field, `${where}.${name}`, every)) {
        yield { json: { ...value, [name]: json }, where: inner };
      }
    }
  }
}
