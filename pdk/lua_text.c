/* SPDX-License-Identifier: Apache-2.0 */
/* lua_text.c -- text functions of ngx: URI escaping (RFC 3986) and base64 (RFC 4648). */
#include <lauxlib.h>

#include "lua_binding_function.h"

/* -1: not a hexadecimal digit. */
static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_unreserved(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

static struct pdk_str argument(lua_State *L)
{
    struct pdk_str text;
    if (lua_isnil(L, 1))
        return PDK_STR("");
    text.ptr = luaL_checklstring(L, 1, &text.len);
    return text;
}

/* Escapes everything but unreserved characters, as OpenResty does without a type argument. */
static int escape_uri(lua_State *L)
{
    static const char digits[] = "0123456789ABCDEF";
    struct pdk_str text = argument(L);
    luaL_Buffer out;
    luaL_buffinit(L, &out);
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (is_unreserved(text.ptr[i])) {
            luaL_addchar(&out, text.ptr[i]);
        } else {
            luaL_addchar(&out, '%');
            luaL_addchar(&out, digits[c >> 4]);
            luaL_addchar(&out, digits[c & 15]);
        }
    }
    luaL_pushresult(&out);
    return 1;
}

/* "+" is a space; a percent sign without two digits stays. */
static int unescape_uri(lua_State *L)
{
    struct pdk_str text = argument(L);
    luaL_Buffer out;
    luaL_buffinit(L, &out);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '+') {
            c = ' ';
        } else if (c == '%' && i + 2 < text.len && hex_value(text.ptr[i + 1]) >= 0 &&
                   hex_value(text.ptr[i + 2]) >= 0) {
            c = (char)(hex_value(text.ptr[i + 1]) << 4 | hex_value(text.ptr[i + 2]));
            i += 2;
        }
        luaL_addchar(&out, c);
    }
    luaL_pushresult(&out);
    return 1;
}

/* (text [, no_padding]) */
static int encode_base64(lua_State *L)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct pdk_str text = argument(L);
    bool is_padded = !lua_toboolean(L, 2);
    luaL_Buffer out;
    luaL_buffinit(L, &out);
    for (size_t i = 0; i < text.len; i += 3) {
        size_t left = text.len - i;
        unsigned bits = (unsigned)(unsigned char)text.ptr[i] << 16;
        if (left > 1)
            bits |= (unsigned)(unsigned char)text.ptr[i + 1] << 8;
        if (left > 2)
            bits |= (unsigned char)text.ptr[i + 2];
        luaL_addchar(&out, alphabet[bits >> 18]);
        luaL_addchar(&out, alphabet[bits >> 12 & 63]);
        if (left > 1)
            luaL_addchar(&out, alphabet[bits >> 6 & 63]);
        else if (is_padded)
            luaL_addchar(&out, '=');
        if (left > 2)
            luaL_addchar(&out, alphabet[bits & 63]);
        else if (is_padded)
            luaL_addchar(&out, '=');
    }
    luaL_pushresult(&out);
    return 1;
}

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* nil for text that is not base64; padding may be missing. */
static int decode_base64(lua_State *L)
{
    struct pdk_str text;
    text.ptr = luaL_checklstring(L, 1, &text.len);
    for (int i = 0; i < 2 && text.len > 0 && text.ptr[text.len - 1] == '='; i++)
        text.len--;
    if (text.len % 4 == 1)
        return 0;
    unsigned bits = 0;
    luaL_Buffer out;
    luaL_buffinit(L, &out);
    for (size_t i = 0; i < text.len; i++) {
        int value = base64_value(text.ptr[i]);
        if (value < 0)
            return 0;
        bits = bits << 6 | (unsigned)value;
        if (i % 4 != 0)
            luaL_addchar(&out, (char)(bits >> (6 - 2 * (i % 4)) & 255));
    }
    luaL_pushresult(&out);
    return 1;
}

const struct lua_binding_function lua_text_functions[] = {
    {"=ngx.escape_uri", escape_uri, 0},
    {"=ngx.unescape_uri", unescape_uri, 0},
    {"=ngx.encode_base64", encode_base64, 0},
    {"=ngx.decode_base64", decode_base64, 0},
    {NULL, NULL, 0},
};
