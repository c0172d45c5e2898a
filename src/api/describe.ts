import swagger from '@fastify/swagger';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { limits } from '../base/limits.ts';
import type { Backend } from './backend.ts';
import { binaryMediaType } from './body-readers.ts';
import type { Api } from './routes/route-context.ts';

type Described = ReturnType<typeof jsonSchemaTransformObject>;
/** The parts of a description that are looked into here. */
interface Parts {
  readonly paths: Readonly<
    Record<string, { readonly post?: { readonly requestBody: { readonly content: Record<string, object> } } }>
  >;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

/**
 * Makes the OpenAPI description of the routes that are added after it. Schemas with an id are named
 * in it, and described once.
 */
export async function describeApi(api: Api, backend: Backend): Promise<void> {
  await api.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Quorate',
        version: backend.identity.version,
        description:
          'A Quorate node. Errors are problems (RFC 9457) with a stable `code` and a `remedy`; those that may pass by ' +
          `themselves come with Retry-After. Bodies have at most ${limits.httpBodyBytes} bytes and ${limits.httpBatch} ` +
          `transactions of at most ${limits.maxTransactionBytes} bytes each.`,
      },
    },
    transform: jsonSchemaTransform,
    transformObject: (document) => withoutUnused(withBinaryBody(jsonSchemaTransformObject(document))),
  });
}

/**
 * A route has one schema for its body, and the framework shows it for every media type.
 * The binary one is no JSON.
 */
function withBinaryBody(described: Described): Described {
  const { paths } = described as Parts;
  const body = paths['/v1/transactions']?.post?.requestBody;
  if (body?.content[binaryMediaType] !== undefined) {
    body.content[binaryMediaType] = {
      schema: {
        description:
          'The count in 2 bytes, then each encoded transaction behind its length in 2 bytes, big-endian',
        contentMediaType: binaryMediaType,
        maxLength: limits.httpBodyBytes,
      },
    };
  }
  return described;
}

/** Every schema comes twice, as it is read and as it is written; what nothing refers to goes. */
function withoutUnused(described: Described): Described {
  const { paths, components } = described as Parts;
  const schemas: Record<string, object> = { ...components.schemas };
  for (;;) {
    const text = JSON.stringify([paths, schemas]);
    const unused = Object.keys(schemas).filter((name) => !text.includes(`"#/components/schemas/${name}"`));
    if (unused.length === 0) break;
    for (const name of unused) delete schemas[name];
  }
  return { ...described, components: { ...components, schemas } };
}
