var yt=Object.defineProperty;var _t=Object.getOwnPropertyDescriptor;var u=(s,e,t,i)=>{for(var n=i>1?void 0:i?_t(e,t):e,r=s.length-1,o;r>=0;r--)(o=s[r])&&(n=(i?o(e,t,n):o(n))||n);return i&&n&&yt(e,t,n),n};/**
 * @license
 * Copyright 2019 Google LLC
 * SPDX-License-Identifier: BSD-3-Clause
 */var Q=globalThis,X=Q.ShadowRoot&&(Q.ShadyCSS===void 0||Q.ShadyCSS.nativeShadow)&&"adoptedStyleSheets"in Document.prototype&&"replace"in CSSStyleSheet.prototype,fe=Symbol(),ze=new WeakMap,W=class{constructor(e,t,i){if(this._$cssResult$=!0,i!==fe)throw Error("CSSResult is not constructable. Use `unsafeCSS` or `css` instead.");this.cssText=e,this.t=t}get styleSheet(){let e=this.o,t=this.t;if(X&&e===void 0){let i=t!==void 0&&t.length===1;i&&(e=ze.get(t)),e===void 0&&((this.o=e=new CSSStyleSheet).replaceSync(this.cssText),i&&ze.set(t,e))}return e}toString(){return this.cssText}},De=s=>new W(typeof s=="string"?s:s+"",void 0,fe),y=(s,...e)=>{let t=s.length===1?s[0]:e.reduce((i,n,r)=>i+(o=>{if(o._$cssResult$===!0)return o.cssText;if(typeof o=="number")return o;throw Error("Value passed to 'css' function must be a 'css' function result: "+o+". Use 'unsafeCSS' to pass non-literal values, but take care to ensure page security.")})(n)+s[r+1],s[0]);return new W(t,s,fe)},He=(s,e)=>{if(X)s.adoptedStyleSheets=e.map(t=>t instanceof CSSStyleSheet?t:t.styleSheet);else for(let t of e){let i=document.createElement("style"),n=Q.litNonce;n!==void 0&&i.setAttribute("nonce",n),i.textContent=t.cssText,s.appendChild(i)}},ye=X?s=>s:s=>s instanceof CSSStyleSheet?(e=>{let t="";for(let i of e.cssRules)t+=i.cssText;return De(t)})(s):s;/**
 * @license
 * Copyright 2017 Google LLC
 * SPDX-License-Identifier: BSD-3-Clause
 */var{is:vt,defineProperty:bt,getOwnPropertyDescriptor:wt,getOwnPropertyNames:$t,getOwnPropertySymbols:xt,getPrototypeOf:At}=Object,ee=globalThis,Pe=ee.trustedTypes,St=Pe?Pe.emptyScript:"",kt=ee.reactiveElementPolyfillSupport,I=(s,e)=>s,j={toAttribute(s,e){switch(e){case Boolean:s=s?St:null;break;case Object:case Array:s=s==null?s:JSON.stringify(s)}return s},fromAttribute(s,e){let t=s;switch(e){case Boolean:t=s!==null;break;case Number:t=s===null?null:Number(s);break;case Object:case Array:try{t=JSON.parse(s)}catch{t=null}}return t}},te=(s,e)=>!vt(s,e),Ne={attribute:!0,type:String,converter:j,reflect:!1,useDefault:!1,hasChanged:te};Symbol.metadata??=Symbol("metadata"),ee.litPropertyMetadata??=new WeakMap;var x=class extends HTMLElement{static addInitializer(e){this._$Ei(),(this.l??=[]).push(e)}static get observedAttributes(){return this.finalize(),this._$Eh&&[...this._$Eh.keys()]}static createProperty(e,t=Ne){if(t.state&&(t.attribute=!1),this._$Ei(),this.prototype.hasOwnProperty(e)&&((t=Object.create(t)).wrapped=!0),this.elementProperties.set(e,t),!t.noAccessor){let i=Symbol(),n=this.getPropertyDescriptor(e,i,t);n!==void 0&&bt(this.prototype,e,n)}}static getPropertyDescriptor(e,t,i){let{get:n,set:r}=wt(this.prototype,e)??{get(){return this[t]},set(o){this[t]=o}};return{get:n,set(o){let d=n?.call(this);r?.call(this,o),this.requestUpdate(e,d,i)},configurable:!0,enumerable:!0}}static getPropertyOptions(e){return this.elementProperties.get(e)??Ne}static _$Ei(){if(this.hasOwnProperty(I("elementProperties")))return;let e=At(this);e.finalize(),e.l!==void 0&&(this.l=[...e.l]),this.elementProperties=new Map(e.elementProperties)}static finalize(){if(this.hasOwnProperty(I("finalized")))return;if(this.finalized=!0,this._$Ei(),this.hasOwnProperty(I("properties"))){let t=this.properties,i=[...$t(t),...xt(t)];for(let n of i)this.createProperty(n,t[n])}let e=this[Symbol.metadata];if(e!==null){let t=litPropertyMetadata.get(e);if(t!==void 0)for(let[i,n]of t)this.elementProperties.set(i,n)}this._$Eh=new Map;for(let[t,i]of this.elementProperties){let n=this._$Eu(t,i);n!==void 0&&this._$Eh.set(n,t)}this.elementStyles=this.finalizeStyles(this.styles)}static finalizeStyles(e){let t=[];if(Array.isArray(e)){let i=new Set(e.flat(1/0).reverse());for(let n of i)t.unshift(ye(n))}else e!==void 0&&t.push(ye(e));return t}static _$Eu(e,t){let i=t.attribute;return i===!1?void 0:typeof i=="string"?i:typeof e=="string"?e.toLowerCase():void 0}constructor(){super(),this._$Ep=void 0,this.isUpdatePending=!1,this.hasUpdated=!1,this._$Em=null,this._$Ev()}_$Ev(){this._$ES=new Promise(e=>this.enableUpdating=e),this._$AL=new Map,this._$E_(),this.requestUpdate(),this.constructor.l?.forEach(e=>e(this))}addController(e){(this._$EO??=new Set).add(e),this.renderRoot!==void 0&&this.isConnected&&e.hostConnected?.()}removeController(e){this._$EO?.delete(e)}_$E_(){let e=new Map,t=this.constructor.elementProperties;for(let i of t.keys())this.hasOwnProperty(i)&&(e.set(i,this[i]),delete this[i]);e.size>0&&(this._$Ep=e)}createRenderRoot(){let e=this.shadowRoot??this.attachShadow(this.constructor.shadowRootOptions);return He(e,this.constructor.elementStyles),e}connectedCallback(){this.renderRoot??=this.createRenderRoot(),this.enableUpdating(!0),this._$EO?.forEach(e=>e.hostConnected?.())}enableUpdating(e){}disconnectedCallback(){this._$EO?.forEach(e=>e.hostDisconnected?.())}attributeChangedCallback(e,t,i){this._$AK(e,i)}_$ET(e,t){let i=this.constructor.elementProperties.get(e),n=this.constructor._$Eu(e,i);if(n!==void 0&&i.reflect===!0){let r=(i.converter?.toAttribute!==void 0?i.converter:j).toAttribute(t,i.type);this._$Em=e,r==null?this.removeAttribute(n):this.setAttribute(n,r),this._$Em=null}}_$AK(e,t){let i=this.constructor,n=i._$Eh.get(e);if(n!==void 0&&this._$Em!==n){let r=i.getPropertyOptions(n),o=typeof r.converter=="function"?{fromAttribute:r.converter}:r.converter?.fromAttribute!==void 0?r.converter:j;this._$Em=n;let d=o.fromAttribute(t,r.type);this[n]=d??this._$Ej?.get(n)??d,this._$Em=null}}requestUpdate(e,t,i,n=!1,r){if(e!==void 0){let o=this.constructor;if(n===!1&&(r=this[e]),i??=o.getPropertyOptions(e),!((i.hasChanged??te)(r,t)||i.useDefault&&i.reflect&&r===this._$Ej?.get(e)&&!this.hasAttribute(o._$Eu(e,i))))return;this.C(e,t,i)}this.isUpdatePending===!1&&(this._$ES=this._$EP())}C(e,t,{useDefault:i,reflect:n,wrapped:r},o){i&&!(this._$Ej??=new Map).has(e)&&(this._$Ej.set(e,o??t??this[e]),r!==!0||o!==void 0)||(this._$AL.has(e)||(this.hasUpdated||i||(t=void 0),this._$AL.set(e,t)),n===!0&&this._$Em!==e&&(this._$Eq??=new Set).add(e))}async _$EP(){this.isUpdatePending=!0;try{await this._$ES}catch(t){Promise.reject(t)}let e=this.scheduleUpdate();return e!=null&&await e,!this.isUpdatePending}scheduleUpdate(){return this.performUpdate()}performUpdate(){if(!this.isUpdatePending)return;if(!this.hasUpdated){if(this.renderRoot??=this.createRenderRoot(),this._$Ep){for(let[n,r]of this._$Ep)this[n]=r;this._$Ep=void 0}let i=this.constructor.elementProperties;if(i.size>0)for(let[n,r]of i){let{wrapped:o}=r,d=this[n];o!==!0||this._$AL.has(n)||d===void 0||this.C(n,void 0,r,d)}}let e=!1,t=this._$AL;try{e=this.shouldUpdate(t),e?(this.willUpdate(t),this._$EO?.forEach(i=>i.hostUpdate?.()),this.update(t)):this._$EM()}catch(i){throw e=!1,this._$EM(),i}e&&this._$AE(t)}willUpdate(e){}_$AE(e){this._$EO?.forEach(t=>t.hostUpdated?.()),this.hasUpdated||(this.hasUpdated=!0,this.firstUpdated(e)),this.updated(e)}_$EM(){this._$AL=new Map,this.isUpdatePending=!1}get updateComplete(){return this.getUpdateComplete()}getUpdateComplete(){return this._$ES}shouldUpdate(e){return!0}update(e){this._$Eq&&=this._$Eq.forEach(t=>this._$ET(t,this[t])),this._$EM()}updated(e){}firstUpdated(e){}};x.elementStyles=[],x.shadowRootOptions={mode:"open"},x[I("elementProperties")]=new Map,x[I("finalized")]=new Map,kt?.({ReactiveElement:x}),(ee.reactiveElementVersions??=[]).push("2.1.2");/**
 * @license
 * Copyright 2017 Google LLC
 * SPDX-License-Identifier: BSD-3-Clause
 */var Ae=globalThis,qe=s=>s,ie=Ae.trustedTypes,Oe=ie?ie.createPolicy("lit-html",{createHTML:s=>s}):void 0,je="$lit$",k=`lit$${Math.random().toFixed(9).slice(2)}$`,Ve="?"+k,Et=`<${Ve}>`,z=document,G=()=>z.createComment(""),B=s=>s===null||typeof s!="object"&&typeof s!="function",Se=Array.isArray,Tt=s=>Se(s)||typeof s?.[Symbol.iterator]=="function",_e=`[ 	
\f\r]`,V=/<(?:(!--|\/[^a-zA-Z])|(\/?[a-zA-Z][^>\s]*)|(\/?$))/g,Le=/-->/g,Me=/>/g,C=RegExp(`>|${_e}(?:([^\\s"'>=/]+)(${_e}*=${_e}*(?:[^ 	
\f\r"'\`<>=]|("|')|))|$)`,"g"),Ue=/'/g,We=/"/g,Ge=/^(?:script|style|textarea|title)$/i,ke=s=>(e,...t)=>({_$litType$:s,strings:e,values:t}),l=ke(1),se=ke(2),hi=ke(3),D=Symbol.for("lit-noChange"),c=Symbol.for("lit-nothing"),Ie=new WeakMap,R=z.createTreeWalker(z,129);function Be(s,e){if(!Se(s)||!s.hasOwnProperty("raw"))throw Error("invalid template strings array");return Oe!==void 0?Oe.createHTML(e):e}var Ct=(s,e)=>{let t=s.length-1,i=[],n,r=e===2?"<svg>":e===3?"<math>":"",o=V;for(let d=0;d<t;d++){let a=s[d],p,g,m=-1,h=0;for(;h<a.length&&(o.lastIndex=h,g=o.exec(a),g!==null);)h=o.lastIndex,o===V?g[1]==="!--"?o=Le:g[1]!==void 0?o=Me:g[2]!==void 0?(Ge.test(g[2])&&(n=RegExp("</"+g[2],"g")),o=C):g[3]!==void 0&&(o=C):o===C?g[0]===">"?(o=n??V,m=-1):g[1]===void 0?m=-2:(m=o.lastIndex-g[2].length,p=g[1],o=g[3]===void 0?C:g[3]==='"'?We:Ue):o===We||o===Ue?o=C:o===Le||o===Me?o=V:(o=C,n=void 0);let f=o===C&&s[d+1].startsWith("/>")?" ":"";r+=o===V?a+Et:m>=0?(i.push(p),a.slice(0,m)+je+a.slice(m)+k+f):a+k+(m===-2?d:f)}return[Be(s,r+(s[t]||"<?>")+(e===2?"</svg>":e===3?"</math>":"")),i]},F=class s{constructor({strings:e,_$litType$:t},i){let n;this.parts=[];let r=0,o=0,d=e.length-1,a=this.parts,[p,g]=Ct(e,t);if(this.el=s.createElement(p,i),R.currentNode=this.el.content,t===2||t===3){let m=this.el.content.firstChild;m.replaceWith(...m.childNodes)}for(;(n=R.nextNode())!==null&&a.length<d;){if(n.nodeType===1){if(n.hasAttributes())for(let m of n.getAttributeNames())if(m.endsWith(je)){let h=g[o++],f=n.getAttribute(m).split(k),Y=/([.?@])?(.*)/.exec(h);a.push({type:1,index:r,name:Y[2],strings:f,ctor:Y[1]==="."?be:Y[1]==="?"?we:Y[1]==="@"?$e:q}),n.removeAttribute(m)}else m.startsWith(k)&&(a.push({type:6,index:r}),n.removeAttribute(m));if(Ge.test(n.tagName)){let m=n.textContent.split(k),h=m.length-1;if(h>0){n.textContent=ie?ie.emptyScript:"";for(let f=0;f<h;f++)n.append(m[f],G()),R.nextNode(),a.push({type:2,index:++r});n.append(m[h],G())}}}else if(n.nodeType===8)if(n.data===Ve)a.push({type:2,index:r});else{let m=-1;for(;(m=n.data.indexOf(k,m+1))!==-1;)a.push({type:7,index:r}),m+=k.length-1}r++}}static createElement(e,t){let i=z.createElement("template");return i.innerHTML=e,i}};function N(s,e,t=s,i){if(e===D)return e;let n=i!==void 0?t._$Co?.[i]:t._$Cl,r=B(e)?void 0:e._$litDirective$;return n?.constructor!==r&&(n?._$AO?.(!1),r===void 0?n=void 0:(n=new r(s),n._$AT(s,t,i)),i!==void 0?(t._$Co??=[])[i]=n:t._$Cl=n),n!==void 0&&(e=N(s,n._$AS(s,e.values),n,i)),e}var ve=class{constructor(e,t){this._$AV=[],this._$AN=void 0,this._$AD=e,this._$AM=t}get parentNode(){return this._$AM.parentNode}get _$AU(){return this._$AM._$AU}u(e){let{el:{content:t},parts:i}=this._$AD,n=(e?.creationScope??z).importNode(t,!0);R.currentNode=n;let r=R.nextNode(),o=0,d=0,a=i[0];for(;a!==void 0;){if(o===a.index){let p;a.type===2?p=new J(r,r.nextSibling,this,e):a.type===1?p=new a.ctor(r,a.name,a.strings,this,e):a.type===6&&(p=new xe(r,this,e)),this._$AV.push(p),a=i[++d]}o!==a?.index&&(r=R.nextNode(),o++)}return R.currentNode=z,n}p(e){let t=0;for(let i of this._$AV)i!==void 0&&(i.strings!==void 0?(i._$AI(e,i,t),t+=i.strings.length-2):i._$AI(e[t])),t++}},J=class s{get _$AU(){return this._$AM?._$AU??this._$Cv}constructor(e,t,i,n){this.type=2,this._$AH=c,this._$AN=void 0,this._$AA=e,this._$AB=t,this._$AM=i,this.options=n,this._$Cv=n?.isConnected??!0}get parentNode(){let e=this._$AA.parentNode,t=this._$AM;return t!==void 0&&e?.nodeType===11&&(e=t.parentNode),e}get startNode(){return this._$AA}get endNode(){return this._$AB}_$AI(e,t=this){e=N(this,e,t),B(e)?e===c||e==null||e===""?(this._$AH!==c&&this._$AR(),this._$AH=c):e!==this._$AH&&e!==D&&this._(e):e._$litType$!==void 0?this.$(e):e.nodeType!==void 0?this.T(e):Tt(e)?this.k(e):this._(e)}O(e){return this._$AA.parentNode.insertBefore(e,this._$AB)}T(e){this._$AH!==e&&(this._$AR(),this._$AH=this.O(e))}_(e){this._$AH!==c&&B(this._$AH)?this._$AA.nextSibling.data=e:this.T(z.createTextNode(e)),this._$AH=e}$(e){let{values:t,_$litType$:i}=e,n=typeof i=="number"?this._$AC(e):(i.el===void 0&&(i.el=F.createElement(Be(i.h,i.h[0]),this.options)),i);if(this._$AH?._$AD===n)this._$AH.p(t);else{let r=new ve(n,this),o=r.u(this.options);r.p(t),this.T(o),this._$AH=r}}_$AC(e){let t=Ie.get(e.strings);return t===void 0&&Ie.set(e.strings,t=new F(e)),t}k(e){Se(this._$AH)||(this._$AH=[],this._$AR());let t=this._$AH,i,n=0;for(let r of e)n===t.length?t.push(i=new s(this.O(G()),this.O(G()),this,this.options)):i=t[n],i._$AI(r),n++;n<t.length&&(this._$AR(i&&i._$AB.nextSibling,n),t.length=n)}_$AR(e=this._$AA.nextSibling,t){for(this._$AP?.(!1,!0,t);e!==this._$AB;){let i=qe(e).nextSibling;qe(e).remove(),e=i}}setConnected(e){this._$AM===void 0&&(this._$Cv=e,this._$AP?.(e))}},q=class{get tagName(){return this.element.tagName}get _$AU(){return this._$AM._$AU}constructor(e,t,i,n,r){this.type=1,this._$AH=c,this._$AN=void 0,this.element=e,this.name=t,this._$AM=n,this.options=r,i.length>2||i[0]!==""||i[1]!==""?(this._$AH=Array(i.length-1).fill(new String),this.strings=i):this._$AH=c}_$AI(e,t=this,i,n){let r=this.strings,o=!1;if(r===void 0)e=N(this,e,t,0),o=!B(e)||e!==this._$AH&&e!==D,o&&(this._$AH=e);else{let d=e,a,p;for(e=r[0],a=0;a<r.length-1;a++)p=N(this,d[i+a],t,a),p===D&&(p=this._$AH[a]),o||=!B(p)||p!==this._$AH[a],p===c?e=c:e!==c&&(e+=(p??"")+r[a+1]),this._$AH[a]=p}o&&!n&&this.j(e)}j(e){e===c?this.element.removeAttribute(this.name):this.element.setAttribute(this.name,e??"")}},be=class extends q{constructor(){super(...arguments),this.type=3}j(e){this.element[this.name]=e===c?void 0:e}},we=class extends q{constructor(){super(...arguments),this.type=4}j(e){this.element.toggleAttribute(this.name,!!e&&e!==c)}},$e=class extends q{constructor(e,t,i,n,r){super(e,t,i,n,r),this.type=5}_$AI(e,t=this){if((e=N(this,e,t,0)??c)===D)return;let i=this._$AH,n=e===c&&i!==c||e.capture!==i.capture||e.once!==i.once||e.passive!==i.passive,r=e!==c&&(i===c||n);n&&this.element.removeEventListener(this.name,this,i),r&&this.element.addEventListener(this.name,this,e),this._$AH=e}handleEvent(e){typeof this._$AH=="function"?this._$AH.call(this.options?.host??this.element,e):this._$AH.handleEvent(e)}},xe=class{constructor(e,t,i){this.element=e,this.type=6,this._$AN=void 0,this._$AM=t,this.options=i}get _$AU(){return this._$AM._$AU}_$AI(e){N(this,e)}};var Rt=Ae.litHtmlPolyfillSupport;Rt?.(F,J),(Ae.litHtmlVersions??=[]).push("3.3.3");var Fe=(s,e,t)=>{let i=t?.renderBefore??e,n=i._$litPart$;if(n===void 0){let r=t?.renderBefore??null;i._$litPart$=n=new J(e.insertBefore(G(),r),r,void 0,t??{})}return n._$AI(s),n};/**
 * @license
 * Copyright 2017 Google LLC
 * SPDX-License-Identifier: BSD-3-Clause
 */var Ee=globalThis,v=class extends x{constructor(){super(...arguments),this.renderOptions={host:this},this._$Do=void 0}createRenderRoot(){let e=super.createRenderRoot();return this.renderOptions.renderBefore??=e.firstChild,e}update(e){let t=this.render();this.hasUpdated||(this.renderOptions.isConnected=this.isConnected),super.update(e),this._$Do=Fe(t,this.renderRoot,this.renderOptions)}connectedCallback(){super.connectedCallback(),this._$Do?.setConnected(!0)}disconnectedCallback(){super.disconnectedCallback(),this._$Do?.setConnected(!1)}render(){return D}};v._$litElement$=!0,v.finalized=!0,Ee.litElementHydrateSupport?.({LitElement:v});var zt=Ee.litElementPolyfillSupport;zt?.({LitElement:v});(Ee.litElementVersions??=[]).push("4.2.2");/**
 * @license
 * Copyright 2022 Google LLC
 * SPDX-License-Identifier: BSD-3-Clause
 *//**
 * @license
 * Copyright 2017 Google LLC
 * SPDX-License-Identifier: BSD-3-Clause
 */var E=s=>(e,t)=>{t!==void 0?t.addInitializer(()=>{customElements.define(s,e)}):customElements.define(s,e)};/**
 * @license
 * Copyright 2017 Google LLC
 * SPDX-License-Identifier: BSD-3-Clause
 */var Dt={attribute:!0,type:String,converter:j,reflect:!1,hasChanged:te},Ht=(s=Dt,e,t)=>{let{kind:i,metadata:n}=t,r=globalThis.litPropertyMetadata.get(n);if(r===void 0&&globalThis.litPropertyMetadata.set(n,r=new Map),i==="setter"&&((s=Object.create(s)).wrapped=!0),r.set(t.name,s),i==="accessor"){let{name:o}=t;return{set(d){let a=e.get.call(this);e.set.call(this,d),this.requestUpdate(o,a,s,!0,d)},init(d){return d!==void 0&&this.C(o,void 0,s,d),d}}}if(i==="setter"){let{name:o}=t;return function(d){let a=this[o];e.call(this,d),this.requestUpdate(o,a,s,!0,d)}}throw Error("Unsupported decorator location: "+i)};function _(s){return(e,t)=>typeof t=="object"?Ht(s,e,t):((i,n,r)=>{let o=n.hasOwnProperty(r);return n.constructor.createProperty(r,i),o?Object.getOwnPropertyDescriptor(n,r):void 0})(s,e,t)}/**
 * @license
 * Copyright 2017 Google LLC
 * SPDX-License-Identifier: BSD-3-Clause
 */function w(s){return _({...s,state:!0,attribute:!1})}/**
 * @license
 * Copyright 2017 Google LLC
 * SPDX-License-Identifier: BSD-3-Clause
 *//**
 * @license
 * Copyright 2017 Google LLC
 * SPDX-License-Identifier: BSD-3-Clause
 */var H=(s,e,t)=>(t.configurable=!0,t.enumerable=!0,Reflect.decorate&&typeof e!="object"&&Object.defineProperty(s,e,t),t);/**
 * @license
 * Copyright 2017 Google LLC
 * SPDX-License-Identifier: BSD-3-Clause
 */function K(s,e){return(t,i,n)=>{let r=o=>o.renderRoot?.querySelector(s)??null;if(e){let{get:o,set:d}=typeof i=="object"?t:n??(()=>{let a=Symbol();return{get(){return this[a]},set(p){this[a]=p}}})();return H(t,i,{get(){let a=o.call(this);return a===void 0&&(a=r(this),(a!==null||this.hasUpdated)&&d.call(this,a)),a}})}return H(t,i,{get(){return r(this)}})}}/**
 * @license
 * Copyright 2017 Google LLC
 * SPDX-License-Identifier: BSD-3-Clause
 *//**
 * @license
 * Copyright 2017 Google LLC
 * SPDX-License-Identifier: BSD-3-Clause
 *//**
 * @license
 * Copyright 2021 Google LLC
 * SPDX-License-Identifier: BSD-3-Clause
 *//**
 * @license
 * Copyright 2017 Google LLC
 * SPDX-License-Identifier: BSD-3-Clause
 */var ne=["changed","suspected","learning","stable","quiet"];async function Je(s){let{language:e}=s;return(await s.callWS({type:"fwid/devices",language:e})).devices}function re(s,e){let{language:t}=s;return s.callWS({type:"fwid/history",device_id:e,days:60,language:t})}async function Ke(s,e,t){let i=`/api/fwid/image/${encodeURIComponent(e)}/${t}.png`,n=await s.callWS({type:"auth/sign_path",path:i,expires:60});return s.hassUrl(n.path)}async function Ze(s,e,t){await s.callService("fwid",e,{device_id:t.device_id},void 0,!1)}function Z(s){return ne.some(e=>e===s)}function O(s,e){return e??(s===null?null:String(s))}var oe=["state","name","area","since"];function ae(s){if(typeof s!="object"||s===null)throw new Error("The card has no configuration.");let{title:e,devices:t,sort:i,show_graph:n}=s;if(e!==void 0&&typeof e!="string")throw new Error("title: must be a text.");if(t!==void 0&&!(Array.isArray(t)&&t.every(r=>typeof r=="string")))throw new Error("devices: must be a list of device ids. Leave it out to show all devices.");if(i!==void 0&&!oe.includes(i))throw new Error(`sort: must be one of ${oe.join(", ")}.`);if(n!==void 0&&typeof n!="boolean")throw new Error("show_graph: must be true or false.")}function Xe(s,e,t){let i=e.devices?.length?new Set(e.devices):null,{compare:n}=new Intl.Collator(t,{numeric:!0}),r=(a,p)=>n(a.name,p.name),d={state:(a,p)=>Ye(a)-Ye(p),name:()=>0,area:(a,p)=>+!a.area-+!p.area||n(a.area??"",p.area??""),since:(a,p)=>Qe(p)-Qe(a)}[e.sort??"state"];return s.filter(a=>!i||i.has(a.device_id)).sort((a,p)=>d(a,p)||r(a,p))}function Ye(s){let e=ne.indexOf(s.state);return e===-1?ne.length:e}var Qe=s=>s.since?Date.parse(s.since):0;var et={card_name:"fwid: Firmware der Geräte",card_description:"Jedes beobachtete Gerät, ob seine Firmware noch dieselbe ist, und was zu tun ist, wenn nicht",option_title:"Titel",option_devices:"Geräte (alle, wenn keines gewählt ist)",option_sort:"Reihenfolge",option_show_graph:"Ähnlichkeit über die Zeit zeigen",sort_state:"Dringendstes zuerst",sort_name:"Name",sort_area:"Bereich",sort_since:"Neueste Änderung zuerst",state_changed:"Geändert",state_suspected:"Verdacht",state_learning:"Lernt",state_stable:"Stabil",state_quiet:"Still",state_unknown:"Unbekannt",means_changed:"Hinter diesem Gerät steckt eine andere Software als vorher. Die neue Version wird gelernt.",means_suspected:"Etwas ist anders, aber zu wenig für einen Alarm.",means_learning:"Es wird noch gelernt, was für dieses Gerät üblich ist.",means_stable:"Nichts, was über den Alltag dieses Geräts hinausgeht.",means_quiet:"Es gibt zu wenig Verkehr dieses Geräts, um etwas zu sagen.",summary_one:"{count} Gerät",summary_other:"{count} Geräte",summary_changed_one:"{count} geändert",summary_changed_other:"{count} geändert",summary_calm:"keines geändert",loading:"Die Geräte werden abgefragt …",empty:"Noch wird kein Gerät beobachtet.",empty_chosen:"Keines der für diese Karte gewählten Geräte wird noch beobachtet.",choose_devices:"Geräte wählen",away:"Der Agent ist nicht erreichbar. Zu sehen ist, was er zuletzt gesagt hat.",away_since_start:"Der Agent ist seit dem Start von Home Assistant nicht erreichbar.",away_short:"nicht erreichbar",not_set_up:"Die Integration fwid ist nicht eingerichtet.",failed:"Die Geräte konnten nicht abgefragt werden: {message}",retry:"Noch einmal versuchen",version:"Version {version}",since:"seit {time}",close:"Schließen",reasons:"Warum",no_reasons:"Nichts spricht für eine Änderung.",cause_software:"Die Anzeichen sprechen für eine andere Software.",cause_settings:"Die Anzeichen sprechen für Einstellungen, Nutzung oder Umgebung.",identified_short:"verhält sich wie {name}",identified:"Verhält sich wie {name}, zu {certainty} % sicher.",identified_none:"Verhält sich wie nichts, was bekannt ist, zu {certainty} % sicher.",identified_other:"Das ist nicht, was über es gesagt wurde.",similarity:"Ähnlichkeit mit dem Üblichen",similarity_now:"Ähnlichkeit {value}",confidence:"Konfidenzintervall",effect_size:"Effektstärke (Hedges' g) {value}",no_history:"Noch nichts zu zeichnen: dafür braucht es zwei Bewertungen.",history_failed:"Der Verlauf konnte nicht abgefragt werden: {message}",as_table:"Als Tabelle",time:"Zeit",state:"Zustand",version_title:"Version",fingerprints:"Fingerabdrücke",image_before:"Vorher",image_after:"Nachher",image_difference:"Unterschied",image_alt:"Fingerabdruck: Protokolle und Richtungen in Zeilen, Statistik und Paketgrößen in Spalten",image_missing:"Noch kein Bild",accept:"Diese Änderung ist in Ordnung",accept_question:"Was {name} jetzt tut, gilt von nun an als normal. Änderung annehmen?",accept_done:"Angenommen.",wrong_alarm:"Fehlalarm",wrong_alarm_question:"Dem Agenten sagen, dass sich die Software von {name} nicht geändert hatte?",wrong_alarm_done:"Vermerkt.",yes_accept:"Annehmen",yes_wrong_alarm:"Mitteilen",cancel:"Abbrechen",action_failed:"Das hat nicht geklappt: {message}",device_page:"Geräteseite"};var Te={card_name:"fwid: firmware of devices",card_description:"Every watched device, whether its firmware is as it was, and what to do when it has changed",option_title:"Title",option_devices:"Devices (all if none is chosen)",option_sort:"Order",option_show_graph:"Show the similarity over time",sort_state:"Most urgent first",sort_name:"Name",sort_area:"Area",sort_since:"Latest change first",state_changed:"Changed",state_suspected:"Suspected",state_learning:"Learning",state_stable:"Stable",state_quiet:"Quiet",state_unknown:"Unknown",means_changed:"The software behind this device is another one than before. The new version is being learned.",means_suspected:"Something differs, but too little for an alarm.",means_learning:"What is usual for this device is still being learned.",means_stable:"Nothing beyond what this device does from day to day.",means_quiet:"There is too little traffic of this device to say anything.",summary_one:"{count} device",summary_other:"{count} devices",summary_changed_one:"{count} changed",summary_changed_other:"{count} changed",summary_calm:"none changed",loading:"Asking for the devices…",empty:"No device is watched yet.",empty_chosen:"None of the devices chosen for this card is watched any more.",choose_devices:"Choose devices",away:"The agent cannot be reached. What you see is the last that it said.",away_since_start:"The agent cannot be reached, and has not been since Home Assistant started.",away_short:"not reachable",not_set_up:"The fwid integration is not set up.",failed:"The devices could not be asked for: {message}",retry:"Try again",version:"version {version}",since:"since {time}",close:"Close",reasons:"Why",no_reasons:"Nothing speaks for a change.",cause_software:"The signs are those of other software.",cause_settings:"The signs are those of settings, use or surroundings.",identified_short:"behaves like {name}",identified:"Behaves like {name}, {certainty}% certain.",identified_none:"Behaves like nothing that is known, {certainty}% certain.",identified_other:"That is not what it is said to be.",similarity:"Similarity to what is usual",similarity_now:"Similarity {value}",confidence:"confidence interval",effect_size:"Effect size (Hedges' g) {value}",no_history:"Nothing to draw yet: that takes two assessments.",history_failed:"The history could not be asked for: {message}",as_table:"As a table",time:"Time",state:"State",version_title:"Version",fingerprints:"Fingerprints",image_before:"Before",image_after:"After",image_difference:"Difference",image_alt:"Fingerprint: protocols and directions in rows, statistics and packet sizes in columns",image_missing:"No picture yet",accept:"This change is fine",accept_question:"From now on, what {name} does now counts as its normal. Accept the change?",accept_done:"Accepted.",wrong_alarm:"Wrong alarm",wrong_alarm_question:"Tell the agent that the software of {name} had not changed?",wrong_alarm_done:"Noted.",yes_accept:"Accept",yes_wrong_alarm:"Tell it",cancel:"Cancel",action_failed:"That did not work: {message}",device_page:"Device page"};var tt={card_name:"fwid: firmware de los dispositivos",card_description:"Cada dispositivo vigilado, si su firmware sigue igual y qué hacer cuando ha cambiado",option_title:"Título",option_devices:"Dispositivos (todos si no se elige ninguno)",option_sort:"Orden",option_show_graph:"Mostrar la similitud a lo largo del tiempo",sort_state:"Lo más urgente primero",sort_name:"Nombre",sort_area:"Área",sort_since:"Cambio más reciente primero",state_changed:"Cambiado",state_suspected:"Sospechoso",state_learning:"Aprendiendo",state_stable:"Estable",state_quiet:"Silencioso",state_unknown:"Desconocido",means_changed:"El software de este dispositivo ya no es el de antes. Se está aprendiendo la nueva versión.",means_suspected:"Algo es distinto, pero demasiado poco para una alarma.",means_learning:"Todavía se está aprendiendo qué es habitual en este dispositivo.",means_stable:"Nada fuera de lo que este dispositivo hace a diario.",means_quiet:"Hay muy poco tráfico de este dispositivo para decir algo.",summary_one:"{count} dispositivo",summary_other:"{count} dispositivos",summary_changed_one:"{count} cambiado",summary_changed_other:"{count} cambiados",summary_calm:"ninguno cambiado",loading:"Consultando los dispositivos…",empty:"Todavía no se vigila ningún dispositivo.",empty_chosen:"Ninguno de los dispositivos elegidos para esta tarjeta sigue vigilado.",choose_devices:"Elegir dispositivos",away:"No se puede contactar con el agente. Se muestra lo último que dijo.",away_since_start:"No se puede contactar con el agente desde que se inició Home Assistant.",away_short:"sin conexión",not_set_up:"La integración fwid no está configurada.",failed:"No se pudieron consultar los dispositivos: {message}",retry:"Reintentar",version:"versión {version}",since:"desde {time}",close:"Cerrar",reasons:"Por qué",no_reasons:"Nada indica un cambio.",cause_software:"Los indicios son de otro software.",cause_settings:"Los indicios son de ajustes, uso o entorno.",identified_short:"se comporta como {name}",identified:"Se comporta como {name}, con una certeza del {certainty} %.",identified_none:"No se comporta como nada conocido, con una certeza del {certainty} %.",identified_other:"No es lo que se ha dicho de él.",similarity:"Similitud con lo habitual",similarity_now:"Similitud {value}",confidence:"intervalo de confianza",effect_size:"Tamaño del efecto (g de Hedges) {value}",no_history:"Aún no hay nada que dibujar: hacen falta dos evaluaciones.",history_failed:"No se pudo consultar el historial: {message}",as_table:"Como tabla",time:"Fecha",state:"Estado",version_title:"Versión",fingerprints:"Huellas",image_before:"Antes",image_after:"Después",image_difference:"Diferencia",image_alt:"Huella: protocolos y direcciones en filas, estadísticas y tamaños de paquetes en columnas",image_missing:"Aún sin imagen",accept:"Este cambio está bien",accept_question:"A partir de ahora, lo que hace {name} contará como normal. ¿Aceptar el cambio?",accept_done:"Aceptado.",wrong_alarm:"Falsa alarma",wrong_alarm_question:"¿Decirle al agente que el software de {name} no había cambiado?",wrong_alarm_done:"Anotado.",yes_accept:"Aceptar",yes_wrong_alarm:"Decírselo",cancel:"Cancelar",action_failed:"No funcionó: {message}",device_page:"Página del dispositivo"};var it={card_name:"fwid : micrologiciel des appareils",card_description:"Chaque appareil surveillé, si son micrologiciel est toujours le même, et que faire quand il a changé",option_title:"Titre",option_devices:"Appareils (tous si aucun n'est choisi)",option_sort:"Ordre",option_show_graph:"Montrer la similarité au fil du temps",sort_state:"Le plus urgent d'abord",sort_name:"Nom",sort_area:"Pièce",sort_since:"Changement le plus récent d'abord",state_changed:"Modifié",state_suspected:"Suspect",state_learning:"Apprentissage",state_stable:"Stable",state_quiet:"Silencieux",state_unknown:"Inconnu",means_changed:"Le logiciel de cet appareil n'est plus le même qu'avant. La nouvelle version est en cours d'apprentissage.",means_suspected:"Quelque chose diffère, mais trop peu pour une alerte.",means_learning:"Ce qui est habituel pour cet appareil est encore en cours d'apprentissage.",means_stable:"Rien d'autre que ce que cet appareil fait d'un jour à l'autre.",means_quiet:"Il y a trop peu de trafic de cet appareil pour se prononcer.",summary_one:"{count} appareil",summary_other:"{count} appareils",summary_changed_one:"{count} modifié",summary_changed_other:"{count} modifiés",summary_calm:"aucun modifié",loading:"Chargement des appareils…",empty:"Aucun appareil n'est encore surveillé.",empty_chosen:"Aucun des appareils choisis pour cette carte n'est plus surveillé.",choose_devices:"Choisir des appareils",away:"L'agent est injoignable. Ce qui s'affiche est ce qu'il a dit en dernier.",away_since_start:"L'agent est injoignable depuis le démarrage de Home Assistant.",away_short:"injoignable",not_set_up:"L'intégration fwid n'est pas configurée.",failed:"Impossible d'obtenir les appareils : {message}",retry:"Réessayer",version:"version {version}",since:"depuis le {time}",close:"Fermer",reasons:"Pourquoi",no_reasons:"Rien n'indique un changement.",cause_software:"Les signes sont ceux d'un autre logiciel.",cause_settings:"Les signes sont ceux de réglages, d'usage ou d'environnement.",identified_short:"se comporte comme {name}",identified:"Se comporte comme {name}, sûr à {certainty} %.",identified_none:"Ne se comporte comme rien de connu, sûr à {certainty} %.",identified_other:"Ce n'est pas ce qui en a été dit.",similarity:"Similarité avec l'habituel",similarity_now:"Similarité {value}",confidence:"intervalle de confiance",effect_size:"Taille d'effet (g de Hedges) {value}",no_history:"Rien à tracer pour l'instant : il faut deux évaluations.",history_failed:"Impossible d'obtenir l'historique : {message}",as_table:"Sous forme de tableau",time:"Date",state:"État",version_title:"Version",fingerprints:"Empreintes",image_before:"Avant",image_after:"Après",image_difference:"Différence",image_alt:"Empreinte : protocoles et sens en lignes, statistiques et tailles de paquets en colonnes",image_missing:"Pas encore d'image",accept:"Ce changement est normal",accept_question:"Désormais, ce que {name} fait maintenant compte comme normal. Accepter le changement ?",accept_done:"Accepté.",wrong_alarm:"Fausse alerte",wrong_alarm_question:"Dire à l'agent que le logiciel de {name} n'avait pas changé ?",wrong_alarm_done:"C'est noté.",yes_accept:"Accepter",yes_wrong_alarm:"Le dire",cancel:"Annuler",action_failed:"Cela n'a pas fonctionné : {message}",device_page:"Page de l'appareil"};var st={card_name:"fwid: firmware dei dispositivi",card_description:"Ogni dispositivo osservato, se il suo firmware è ancora lo stesso e che cosa fare quando è cambiato",option_title:"Titolo",option_devices:"Dispositivi (tutti se non se ne sceglie nessuno)",option_sort:"Ordine",option_show_graph:"Mostra la somiglianza nel tempo",sort_state:"Prima il più urgente",sort_name:"Nome",sort_area:"Area",sort_since:"Prima il cambiamento più recente",state_changed:"Cambiato",state_suspected:"Sospetto",state_learning:"In apprendimento",state_stable:"Stabile",state_quiet:"Silenzioso",state_unknown:"Sconosciuto",means_changed:"Il software di questo dispositivo non è più quello di prima. La nuova versione viene appresa.",means_suspected:"Qualcosa è diverso, ma troppo poco per un allarme.",means_learning:"Si sta ancora imparando che cosa è abituale per questo dispositivo.",means_stable:"Nulla oltre a ciò che questo dispositivo fa ogni giorno.",means_quiet:"C'è troppo poco traffico di questo dispositivo per dire qualcosa.",summary_one:"{count} dispositivo",summary_other:"{count} dispositivi",summary_changed_one:"{count} cambiato",summary_changed_other:"{count} cambiati",summary_calm:"nessuno cambiato",loading:"Richiesta dei dispositivi…",empty:"Nessun dispositivo è ancora osservato.",empty_chosen:"Nessuno dei dispositivi scelti per questa scheda è ancora osservato.",choose_devices:"Scegli i dispositivi",away:"L'agente non è raggiungibile. È mostrato ciò che ha detto per ultimo.",away_since_start:"L'agente non è raggiungibile da quando Home Assistant è stato avviato.",away_short:"non raggiungibile",not_set_up:"L'integrazione fwid non è configurata.",failed:"Impossibile richiedere i dispositivi: {message}",retry:"Riprova",version:"versione {version}",since:"dal {time}",close:"Chiudi",reasons:"Perché",no_reasons:"Nulla indica un cambiamento.",cause_software:"I segni sono quelli di un altro software.",cause_settings:"I segni sono quelli di impostazioni, uso o ambiente.",identified_short:"si comporta come {name}",identified:"Si comporta come {name}, certezza {certainty} %.",identified_none:"Non si comporta come nulla di noto, certezza {certainty} %.",identified_other:"Non è ciò che ne è stato detto.",similarity:"Somiglianza con l'abituale",similarity_now:"Somiglianza {value}",confidence:"intervallo di confidenza",effect_size:"Dimensione dell'effetto (g di Hedges) {value}",no_history:"Ancora nulla da disegnare: servono due valutazioni.",history_failed:"Impossibile richiedere la cronologia: {message}",as_table:"Come tabella",time:"Data",state:"Stato",version_title:"Versione",fingerprints:"Impronte",image_before:"Prima",image_after:"Dopo",image_difference:"Differenza",image_alt:"Impronta: protocolli e direzioni nelle righe, statistiche e dimensioni dei pacchetti nelle colonne",image_missing:"Ancora nessuna immagine",accept:"Questo cambiamento va bene",accept_question:"D'ora in poi ciò che {name} fa adesso vale come normale. Accettare il cambiamento?",accept_done:"Accettato.",wrong_alarm:"Falso allarme",wrong_alarm_question:"Dire all'agente che il software di {name} non era cambiato?",wrong_alarm_done:"Annotato.",yes_accept:"Accetta",yes_wrong_alarm:"Dillo",cancel:"Annulla",action_failed:"Non ha funzionato: {message}",device_page:"Pagina del dispositivo"};var nt={card_name:"fwid: firmware van apparaten",card_description:"Elk bewaakt apparaat, of de firmware nog dezelfde is, en wat te doen als die veranderd is",option_title:"Titel",option_devices:"Apparaten (alle als er geen gekozen is)",option_sort:"Volgorde",option_show_graph:"Gelijkenis door de tijd tonen",sort_state:"Dringendste eerst",sort_name:"Naam",sort_area:"Ruimte",sort_since:"Laatste wijziging eerst",state_changed:"Gewijzigd",state_suspected:"Verdacht",state_learning:"Leert",state_stable:"Stabiel",state_quiet:"Stil",state_unknown:"Onbekend",means_changed:"De software van dit apparaat is een andere dan voorheen. De nieuwe versie wordt geleerd.",means_suspected:"Er is iets anders, maar te weinig voor een alarm.",means_learning:"Er wordt nog geleerd wat voor dit apparaat gewoon is.",means_stable:"Niets anders dan wat dit apparaat elke dag doet.",means_quiet:"Er is te weinig verkeer van dit apparaat om iets te zeggen.",summary_one:"{count} apparaat",summary_other:"{count} apparaten",summary_changed_one:"{count} gewijzigd",summary_changed_other:"{count} gewijzigd",summary_calm:"geen gewijzigd",loading:"De apparaten worden opgevraagd…",empty:"Er wordt nog geen apparaat bewaakt.",empty_chosen:"Geen van de voor deze kaart gekozen apparaten wordt nog bewaakt.",choose_devices:"Apparaten kiezen",away:"De agent is niet bereikbaar. Te zien is wat hij het laatst zei.",away_since_start:"De agent is niet bereikbaar sinds Home Assistant is gestart.",away_short:"niet bereikbaar",not_set_up:"De integratie fwid is niet ingesteld.",failed:"De apparaten konden niet worden opgevraagd: {message}",retry:"Opnieuw proberen",version:"versie {version}",since:"sinds {time}",close:"Sluiten",reasons:"Waarom",no_reasons:"Niets wijst op een verandering.",cause_software:"De tekenen wijzen op andere software.",cause_settings:"De tekenen wijzen op instellingen, gebruik of omgeving.",identified_short:"gedraagt zich als {name}",identified:"Gedraagt zich als {name}, {certainty}% zeker.",identified_none:"Gedraagt zich als niets bekends, {certainty}% zeker.",identified_other:"Dat is niet wat erover gezegd is.",similarity:"Gelijkenis met het gewone",similarity_now:"Gelijkenis {value}",confidence:"betrouwbaarheidsinterval",effect_size:"Effectgrootte (Hedges' g) {value}",no_history:"Nog niets te tekenen: daarvoor zijn twee beoordelingen nodig.",history_failed:"De geschiedenis kon niet worden opgevraagd: {message}",as_table:"Als tabel",time:"Tijd",state:"Toestand",version_title:"Versie",fingerprints:"Vingerafdrukken",image_before:"Ervoor",image_after:"Erna",image_difference:"Verschil",image_alt:"Vingerafdruk: protocollen en richtingen in rijen, statistiek en pakketgroottes in kolommen",image_missing:"Nog geen beeld",accept:"Deze wijziging is in orde",accept_question:"Vanaf nu geldt wat {name} nu doet als normaal. Wijziging accepteren?",accept_done:"Geaccepteerd.",wrong_alarm:"Vals alarm",wrong_alarm_question:"De agent laten weten dat de software van {name} niet veranderd was?",wrong_alarm_done:"Genoteerd.",yes_accept:"Accepteren",yes_wrong_alarm:"Laten weten",cancel:"Annuleren",action_failed:"Dat is niet gelukt: {message}",device_page:"Apparaatpagina"};var rt={en:Te,de:et,es:tt,fr:it,it:st,nl:nt};function Ut(s){return rt[s]??rt[s.split("-")[0]??""]??Te}function P(s,e,t={}){return Ut(s)[e].replace(/\{(\w+)\}/g,(i,n)=>String(t[n]??i))}var le=class s{constructor(e,t={}){this.language=e;this.numbers=new Intl.NumberFormat(e,{maximumFractionDigits:2}),this.plurals=new Intl.PluralRules(e);let i=t.timeZone?{timeZone:t.timeZone}:{};this.days=new Intl.DateTimeFormat(e,{dateStyle:"medium",...i}),this.daysOfThisYear=new Intl.DateTimeFormat(e,{month:"short",day:"numeric",...i}),this.years=new Intl.DateTimeFormat("en",{year:"numeric",...i}),this.moments=new Intl.DateTimeFormat(e,{dateStyle:"medium",timeStyle:"short",...t})}static of({language:e,locale:t,config:i}){return new s(e,{...t.time_zone==="server"&&{timeZone:i.time_zone},...t.time_format==="12"&&{hour12:!0},...t.time_format==="24"&&{hour12:!1}})}say(e,t){return P(this.language,e,t)}count(e,t){let i=this.plurals.select(t)==="one"?"one":"other";return this.say(`${e}_${i}`,{count:t})}number(e){return this.numbers.format(e)}day(e){let t=new Date(e);return(this.years.format(t)===this.years.format(Date.now())?this.daysOfThisYear:this.days).format(t)}moment(e){return this.moments.format(new Date(e))}};function ot(){let s=document.documentElement.lang;return{schema:[{name:"title",selector:{text:{}}},{name:"devices",selector:{device:{multiple:!0,entity:[{integration:"fwid",domain:"event"}]}}},{name:"sort",default:"state",selector:{select:{mode:"dropdown",options:oe.map(e=>({value:e,label:P(s,`sort_${e}`)}))}}},{name:"show_graph",default:!0,selector:{boolean:{}}}],computeLabel:({name:e})=>P(s,`option_${e}`),assertConfig:ae}}function at(s,e){let t=s.entities[e];return t?.platform!=="fwid"||!t.device_id?null:{config:{type:"custom:fwid-card",devices:[t.device_id]}}}function L(s){return typeof s=="object"&&s!==null?s:{message:String(s)}}function ce({entities:s}){return Object.keys(s).filter(e=>s[e]?.platform==="fwid")}var T=y`
  :host {
    --fwid-changed: var(--error-color);
    --fwid-suspected: var(--warning-color);
    --fwid-learning: var(--info-color);
    --fwid-stable: var(--success-color);
    --fwid-quiet: var(--secondary-text-color);
    --fwid-unknown: var(--secondary-text-color);
  }

  /* A text of another direction than the page keeps its own order, and the page's side. */
  :host(:dir(ltr)) {
    text-align: left;
  }

  :host(:dir(rtl)) {
    text-align: right;
  }

  p,
  h3,
  li,
  td,
  summary,
  figcaption,
  .facts,
  .button {
    unicode-bidi: plaintext;
  }

  .unseen {
    position: absolute;
    inline-size: 1px;
    block-size: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
`,M=y`
  button {
    font: inherit;
    color: inherit;
    background: none;
    border: none;
    cursor: pointer;
  }

  button:focus-visible,
  a:focus-visible,
  summary:focus-visible {
    outline: 2px solid var(--primary-color);
    outline-offset: 2px;
  }

  .button {
    display: inline-block;
    min-block-size: 40px;
    box-sizing: border-box;
    padding: 8px 16px;
    border: 1px solid var(--primary-color);
    border-radius: 20px;
    color: var(--primary-text-color);
    text-decoration: none;
  }

  .button.main {
    background: color-mix(in srgb, var(--primary-color) 20%, transparent);
    font-weight: 500;
  }

  .button:hover {
    background: color-mix(in srgb, var(--primary-color) 12%, transparent);
  }

  .button:disabled {
    opacity: 0.5;
    cursor: default;
  }
`,de=y`
  .plot {
    display: flex;
    flex-direction: column;
    gap: 2px;
    min-inline-size: 0;
    /* Time runs from left to right in every language. */
    direction: ltr;
  }

  .chart,
  .stretches {
    inline-size: 100%;
  }

  .chart {
    flex: 1;
    min-block-size: 0;
    overflow: visible;
  }

  .stretches {
    block-size: 4px;
    flex: none;
    border-radius: 2px;
    overflow: hidden;
  }

  .line {
    fill: none;
    stroke: var(--primary-text-color);
    stroke-width: 1.5px;
    stroke-linejoin: round;
    stroke-linecap: round;
    vector-effect: non-scaling-stroke;
  }

  .band {
    fill: color-mix(in srgb, var(--primary-color) 25%, transparent);
  }
`;var b=class extends v{constructor(){super(...arguments);this.asked=null;this.running=!1;this.done=null;this.trouble=null}render(){let{words:t}=this;return l`
      ${this.asked?this.question(this.asked):this.offers()}
      <p role="status" tabindex="-1">${this.done?t.say(`${this.done}_done`):c}</p>
      ${this.trouble===null?c:l`<p class="trouble" role="alert">${t.say("action_failed",{message:this.trouble})}</p>`}
    `}offers(){let{device:t,words:i}=this,n=(r,o)=>l`<button class="button ${o}" @click=${()=>this.ask(r)}>${i.say(r)}</button>`;return l`<div class="buttons">
      ${t.state==="changed"?n("accept","main"):c}
      ${t.alarm_event!==null?n("wrong_alarm",""):c}
    </div>`}question(t){let{words:i}=this;return l`
      <div role="group" aria-labelledby="question">
        <p id="question">${i.say(`${t}_question`,{name:this.device.name})}</p>
        <div class="buttons">
          <button class="button main" ?disabled=${this.running} @click=${()=>this.act(t)}>
            ${i.say(`yes_${t}`)}
          </button>
          <button class="button" ?disabled=${this.running} @click=${()=>this.ask(null)}>
            ${i.say("cancel")}
          </button>
        </div>
      </div>
    `}async ask(t){this.asked=t,t&&(this.done=this.trouble=null),await this.updateComplete,(this.first??this.status).focus()}async act(t){this.running=!0;try{await Ze(this.hass,t,this.device),this.done=t,this.dispatchEvent(new CustomEvent("acted",{bubbles:!0,composed:!0}))}catch(i){let{message:n,code:r}=L(i);this.trouble=n??String(r??"")}this.running=!1,await this.ask(null)}};b.styles=[T,M,y`
      .buttons {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
      }

      p {
        margin: 8px 0;
      }

      p:empty {
        margin: 0;
      }

      .trouble {
        padding: 8px 12px;
        border-inline-start: 4px solid var(--error-color);
        background: color-mix(in srgb, var(--error-color) 12%, transparent);
      }
    `],u([_({attribute:!1})],b.prototype,"hass",2),u([_({attribute:!1})],b.prototype,"words",2),u([_({attribute:!1})],b.prototype,"device",2),u([w()],b.prototype,"asked",2),u([w()],b.prototype,"running",2),u([w()],b.prototype,"done",2),u([w()],b.prototype,"trouble",2),u([K("button")],b.prototype,"first",2),u([K("[role=status]")],b.prototype,"status",2),b=u([E("fwid-actions")],b);var lt=["before","after","difference"],Wt=1e4,A=class extends v{constructor(){super(...arguments);this.sources={};this.signedFor="";this.again=new Set}disconnectedCallback(){super.disconnectedCallback(),this.again.forEach(clearTimeout),this.again.clear()}willUpdate(t){if(!t.has("device"))return;let{device_id:i,state:n,version:r,since:o}=this.device,d=JSON.stringify([i,n,r,o]);if(d!==this.signedFor){this.signedFor=d;for(let a of lt)this.sign(a)}}async sign(t){let i=await Ke(this.hass,this.device.device_id,t).catch(()=>null);this.sources={...this.sources,[t]:i},i===null&&this.miss(t)}miss(t){if(this.sources={...this.sources,[t]:null},!this.isConnected)return;let i=setTimeout(()=>{this.again.delete(i),this.sign(t)},Wt);this.again.add(i)}render(){return l`${lt.map(t=>this.figure(t))}`}figure(t){let{words:i}=this,n=this.sources[t];return l`
      <figure>
        <figcaption>${i.say(`image_${t}`)}</figcaption>
        <div class="frame">
          ${n?l`<img src=${n} alt=${`${i.say(`image_${t}`)}. ${i.say("image_alt")}`} @error=${()=>this.miss(t)} />`:l`<span>${n===null?i.say("image_missing"):""}</span>`}
        </div>
      </figure>
    `}};A.styles=[T,y`
      figure {
        margin: 0 0 12px;
      }

      .frame {
        display: flex;
        align-items: center;
        justify-content: center;
        min-block-size: 80px;
        border: 1px solid var(--divider-color);
        color: var(--secondary-text-color);
      }

      img {
        display: block;
        inline-size: 100%;
      }

      figcaption {
        color: var(--secondary-text-color);
      }
    `],u([_({attribute:!1})],A.prototype,"hass",2),u([_({attribute:!1})],A.prototype,"words",2),u([_({attribute:!1})],A.prototype,"device",2),u([w()],A.prototype,"sources",2),A=u([E("fwid-fingerprints")],A);var It=.94,pe=["blue","purple","teal","deep-orange","indigo","cyan"];function Ce(s){let e=((s-1)%pe.length+pe.length)%pe.length;return`var(--${pe[e]}-color)`}function Re({version:s,changed:e}){return e?"var(--fwid-changed)":Ce(s)}function ue(s){return l`
    <svg class="chart" viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
      ${s.bands.map(e=>se`<path class="band" d=${ct(e)}></path>`)}
      ${s.lines.map(jt)}
    </svg>
    <svg class="stretches" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">
      ${s.stretches.length?s.stretches.map(Vt):c}
    </svg>
  `}function jt(s){let e=s.length===1?[...s,...s]:s;return se`<path class="line" d=${ct(e)}></path>`}function Vt(s){let{to:e}=s,t=Math.min(s.from,It);return se`<rect x=${100*t} y="0" width=${100*(e-t)} height="1" style="fill:${Re(s)}"></rect>`}function ct(s){return`M${s.map(({x:t,y:i})=>`${(100*t).toFixed(2)},${(100*(1-i)).toFixed(2)}`).join("L")}`}function me(s){let e=s.filter(h=>h.similarity!==null),t=s[0],i=s.at(-1);if(e.length<2||!t||!i)return null;let n=Date.parse(t.time),r=Date.parse(i.time)-n;if(!(r>0))return null;let[o,d]=Bt(e),a=h=>(Date.parse(h.time)-n)/r,p=h=>Math.min(1,Math.max(0,(h-o)/(d-o))),g=dt(s,h=>h.similarity!==null).map(h=>h.map(f=>({x:a(f),y:p(f.similarity)}))),m=dt(s,h=>h.low!==null&&h.high!==null).map(h=>[...h.map(f=>({x:a(f),y:p(f.high)})),...[...h].reverse().map(f=>({x:a(f),y:p(f.low)}))]);return{lines:g,bands:m,stretches:Gt(s,a),bottom:o,top:d,oldest:t.time,newest:i.time}}function Gt(s,e){let t=[];for(let i of s){let n=t.at(-1),r=i.state==="changed";i.version!==null&&(i.version===n?.version&&r===n.changed||(n&&(n.to=e(i)),t.push({version:i.version,changed:r,from:e(i),to:1,since:i.time})))}return t}function Bt(s){let e=s.flatMap(({similarity:o,low:d,high:a})=>[o,d,a].filter(p=>p!==null)),t=Math.max(...e),i=Math.min(...e),n=Math.max(0,.2-(t-i)),r=t<=1?Math.min(1,t+n/2):t;return[Math.min(i,r-.2),r]}function dt(s,e){let t=[],i=null;for(let n of s)e(n)?i?i.push(n):t.push(i=[n]):i=null;return t}var Ft={changed:"mdi:alert-octagon",suspected:"mdi:help-rhombus",learning:"mdi:school",stable:"mdi:check-circle",quiet:"mdi:sleep"};function he(s){let e=Z(s);return l`<ha-icon
    aria-hidden="true"
    icon=${e?Ft[s]:"mdi:progress-question"}
    style="color:var(--fwid-${e?s:"unknown"})"
  ></ha-icon>`}function U(s,e){return Z(s)?e.say(`state_${s}`):s??e.say("state_unknown")}var Jt=30;function pt(s,e,t){if(!e)return l`<div class="large"></div>`;let i=me(e.history);return l`
    ${i?Kt(i,e,t):l`<p class="soft">${t.say("no_history")}</p>`}
    ${s.similarity===null?c:l`<p class="soft">${t.say("similarity_now",{value:t.number(s.similarity)})}</p>`}
    ${e.history.length?Zt(e,t):c}
  `}function Kt(s,e,t){return l`
    <div class="large" aria-hidden="true">
      <span class="scale top">${t.number(s.top)}</span>
      <span class="scale bottom">${t.number(s.bottom)}</span>
      <div class="plot">${ue(s)}</div>
      <div class="times"><span>${t.day(s.oldest)}</span><span>${t.day(s.newest)}</span></div>
    </div>
    <ul class="legend">
      ${s.stretches.map(i=>l`<li>
          <span class="swatch" style="background:${Re(i)}"></span>
          <bdi>${Qt(i,e,t)}</bdi>
          <span class="soft">${t.say("since",{time:t.day(i.since)})}</span>
        </li>`)}
      ${s.bands.length?l`<li><span class="swatch band"></span><span class="soft">${t.say("confidence")}</span></li>`:c}
    </ul>
  `}function Zt(s,e){return l`
    <details>
      <summary>${e.say("as_table")}</summary>
      <div class="scroll" tabindex="0" role="region" aria-label=${e.say("similarity")}>
        <table>
          <thead>
            <tr>
              <th scope="col">${e.say("time")}</th>
              <th scope="col">${e.say("state")}</th>
              <th scope="col">${e.say("version_title")}</th>
              <th scope="col">${e.say("similarity")}</th>
            </tr>
          </thead>
          <tbody>
            ${s.history.slice(-Jt).reverse().map(t=>Yt(t,s,e))}
          </tbody>
        </table>
      </div>
    </details>
  `}function Yt(s,e,t){return l`<tr>
    <td>${t.moment(s.time)}</td>
    <td>${U(s.state,t)}</td>
    <td><bdi>${s.version===null?"–":ut(s.version,e)}</bdi></td>
    <td>${s.similarity===null?"–":t.number(s.similarity)}</td>
  </tr>`}function Qt({version:s,changed:e},t,i){return e?i.say("state_changed"):i.say("version",{version:ut(s,t)})}function ut(s,{versions:e}){let t=e.find(i=>i.version===s)?.label??null;return O(s,t)??String(s)}var mt=y`
  .large {
    position: relative;
    block-size: 200px;
    padding-inline-start: 36px;
    padding-block-end: 24px;
    display: flex;
    direction: ltr;
  }

  .large .plot {
    flex: 1;
  }

  .scale,
  .times {
    position: absolute;
    font-size: 0.85em;
    color: var(--secondary-text-color);
  }

  .scale {
    inset-inline-start: 0;
  }

  .scale.top {
    inset-block-start: -6px;
  }

  .scale.bottom {
    inset-block-end: 28px;
  }

  .times {
    inset-inline: 36px 0;
    inset-block-end: 0;
    display: flex;
    justify-content: space-between;
  }

  .legend {
    display: flex;
    flex-wrap: wrap;
    gap: 4px 20px;
    margin: 8px 0;
    padding: 0;
    list-style: none;
  }

  .legend li {
    display: flex;
    align-items: center;
    gap: 6px;
  }

  .swatch {
    flex: none;
    inline-size: 12px;
    block-size: 12px;
    border-radius: 2px;
  }

  .swatch.band {
    background: color-mix(in srgb, var(--primary-color) 25%, transparent);
  }

  summary {
    min-block-size: 32px;
    cursor: pointer;
  }

  .scroll {
    max-block-size: 320px;
    overflow: auto;
  }

  table {
    inline-size: 100%;
    border-collapse: collapse;
  }

  th,
  td {
    padding: 4px 8px;
    text-align: inherit;
    border-block-end: 1px solid var(--divider-color);
  }
`;var $=class extends v{constructor(){super(...arguments);this.history=null;this.failure=null}firstUpdated(){this.dialog.showModal()}willUpdate(t){t.has("device")&&this.ask()}async ask(){try{this.history=await re(this.hass,this.device.device_id),this.failure=null}catch(t){this.failure=L(t)}}render(){let{device:t,words:i}=this;return l`
      <dialog aria-labelledby="name" @close=${this.tellClosed} @click=${this.closeFromOutside}>
        <div class="inside">
          <header>
            <h2 id="name" dir="auto">${t.name}</h2>
            <button class="close" aria-label=${i.say("close")} @click=${()=>this.dialog.close()}>
              <ha-icon aria-hidden="true" icon="mdi:close"></ha-icon>
            </button>
          </header>
          ${t.available?c:l`<p class="note" role="status">${i.say("away")}</p>`}
          <p class="now">${he(t.state)} <strong>${U(t.state,i)}</strong>${this.facts()}</p>
          ${Z(t.state)?l`<p>${i.say(`means_${t.state}`)}</p>`:c}
          ${this.reasons()} ${this.identified()}
          <fwid-actions .hass=${this.hass} .words=${i} .device=${t}></fwid-actions>
          <h3>${i.say("similarity")}</h3>
          ${this.failure?l`<p class="note" role="alert">${i.say("history_failed",{message:this.failure.message??""})}</p>`:pt(t,this.history,i)}
          <h3>${i.say("fingerprints")}</h3>
          <fwid-fingerprints .hass=${this.hass} .words=${i} .device=${t}></fwid-fingerprints>
          ${this.hass.user?.is_admin?l`<p><a class="button" href="/config/devices/device/${t.device_id}">${i.say("device_page")}</a></p>`:c}
        </div>
      </dialog>
    `}facts(){let{device:t,words:i}=this,n=O(t.version,t.label);return[n===null?null:l`<bdi>${i.say("version",{version:n})}</bdi>`,t.since?l`${i.say("since",{time:i.moment(t.since)})}`:null,t.area?l`<bdi>${t.area}</bdi>`:null].filter(r=>r!==null).map(r=>l` · ${r}`)}reasons(){let{reasons:t,cause:i,effect_size:n}=this.device,{words:r}=this;return l`
      <h3>${r.say("reasons")}</h3>
      ${t.length?l`<ul class="reasons">${t.map(o=>l`<li><bdi>${o}</bdi></li>`)}</ul>`:l`<p>${r.say("no_reasons")}</p>`}
      ${i==="software"||i==="settings"?l`<p>${r.say(`cause_${i}`)}</p>`:c}
      ${n===null?c:l`<p class="soft">${r.say("effect_size",{value:r.number(n)})}</p>`}
    `}identified(){let{words:t,device:i}=this,{identified:n}=i;if(!n)return c;let r=t.number(Math.round(n.certainty*100)),o=n.label===null?t.say("identified_none",{certainty:r}):t.say("identified",{name:n.label,certainty:r});return l`<p class="identified">
      <bdi>${o}</bdi>${n.agrees===!1?l` <strong>${t.say("identified_other")}</strong>`:c}
    </p>`}tellClosed(){this.dispatchEvent(new CustomEvent("closed"))}closeFromOutside(t){t.target===this.dialog&&this.dialog.close()}};$.styles=[T,M,de,mt,y`
      dialog {
        inline-size: min(680px, 100vw - 32px);
        max-block-size: calc(100dvb - 32px);
        box-sizing: border-box;
        padding: 0;
        border: none;
        border-radius: var(--ha-card-border-radius, 12px);
        background: var(--card-background-color);
        color: var(--primary-text-color);
        overflow-y: auto;
        overscroll-behavior: contain;
      }

      .inside {
        padding: 0 24px 24px;
      }

      header {
        position: sticky;
        inset-block-start: 0;
        z-index: 1;
        display: flex;
        align-items: center;
        gap: 8px;
        margin: 0 -24px;
        padding-block: 8px;
        padding-inline: 24px 12px;
        background: var(--card-background-color);
      }

      h2 {
        flex: 1;
        margin: 0;
        font-size: 1.4em;
        font-weight: 500;
        overflow-wrap: anywhere;
      }

      h3 {
        margin: 20px 0 8px;
        font-size: 1.05em;
        font-weight: 500;
      }

      p {
        margin: 8px 0;
      }

      .now ha-icon {
        vertical-align: middle;
      }

      .close {
        inline-size: 48px;
        block-size: 48px;
        flex: none;
        border-radius: 50%;
      }

      .soft {
        color: var(--secondary-text-color);
      }

      .reasons {
        margin: 0;
        padding-inline-start: 20px;
        overflow-wrap: anywhere;
      }

      .note {
        padding: 8px 12px;
        border-inline-start: 4px solid var(--warning-color);
        background: color-mix(in srgb, var(--warning-color) 12%, transparent);
      }

      @media (max-width: 600px) {
        dialog {
          inline-size: 100vw;
          max-inline-size: none;
          block-size: 100dvb;
          max-block-size: none;
          border-radius: 0;
        }

        .inside {
          padding: 0 16px calc(16px + env(safe-area-inset-bottom));
        }

        header {
          margin: 0 -16px;
          padding-inline: 16px 4px;
        }
      }

      @media (prefers-reduced-motion: no-preference) {
        dialog[open] {
          animation: appear 0.15s ease-out;
        }

        @keyframes appear {
          from {
            opacity: 0;
          }
        }
      }
    `],u([_({attribute:!1})],$.prototype,"hass",2),u([_({attribute:!1})],$.prototype,"words",2),u([_({attribute:!1})],$.prototype,"device",2),u([w()],$.prototype,"history",2),u([w()],$.prototype,"failure",2),u([K("dialog")],$.prototype,"dialog",2),$=u([E("fwid-device-detail")],$);var Xt=/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/;function ht(s,e,t,i){return l`
    <li>
      <button class="row ${s.available?"":"away"}" aria-haspopup="dialog" @click=${i}>
        ${he(s.state)}
        <span class="texts">
          <span class="name" dir="auto">${s.name}</span>
          <span class="facts">${ei(s,t)}</span>
        </span>
        ${e===null?c:ii(s,e,t)} ${si(s,t)}
      </button>
    </li>
  `}function ei(s,e){return l`<span class="state">${U(s.state,e)}</span>${s.area?l` · <bdi>${s.area}</bdi>`:c}${ti(s,e)}${s.available?c:l` · ${e.say("away_short")}`}${s.since?l`<span class="since"><span class="dash"> · </span>${e.say("since",{time:e.day(s.since)})}</span>`:c}`}function ti({name:s,identified:e},t){return!e?.label||e.agrees!==!1&&!Xt.test(s)?c:l` · <bdi>${t.say("identified_short",{name:e.label})}</bdi>`}function ii(s,e,t){let i=e?me(e):null;return l`<span class="plot">${i?ue(i):c}</span>
    ${s.similarity===null?c:l`<span class="unseen">${t.say("similarity_now",{value:t.number(s.similarity)})}</span>`}`}function si(s,e){let t=O(s.version,s.label);return l`<span class="version">
    ${t===null||s.version===null?c:l`<span class="unseen">${e.say("version_title")}</span>
          <span class="dot" style="background:${Ce(s.version)}"></span><bdi>${t}</bdi>`}
  </span>`}var gt=y`
  .devices {
    display: grid;
    /* The outer columns hold the row's padding too. */
    grid-template-columns: 40px minmax(0, 1fr) minmax(48px, 25%) minmax(0, max-content);
    column-gap: 12px;
    margin: 0;
    padding: 0;
    list-style: none;
  }

  li,
  .row {
    display: grid;
    grid-column: 1 / -1;
    grid-template-columns: subgrid;
    align-items: center;
  }

  .row {
    position: relative;
    min-block-size: 56px;
    padding: 6px 16px;
    text-align: inherit;
  }

  .row:hover {
    background: color-mix(in srgb, var(--primary-text-color) 5%, transparent);
  }

  button.row:focus-visible {
    outline-offset: -2px;
  }

  .texts {
    display: flex;
    flex-direction: column;
    grid-column: 2;
  }

  .name {
    overflow: hidden;
    font-weight: 500;
    text-overflow: ellipsis;
    white-space: nowrap;
  }

  .facts {
    color: var(--secondary-text-color);
    font-size: 0.9em;
    overflow-wrap: anywhere;
  }

  .state {
    color: var(--primary-text-color);
  }

  .row .plot {
    block-size: 36px;
    grid-column: 3;
  }

  .version {
    display: flex;
    align-items: center;
    gap: 6px;
    grid-column: 4;
    font-size: 0.9em;
  }

  .version bdi {
    max-inline-size: 8ch;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }

  .dot {
    flex: none;
    inline-size: 8px;
    block-size: 8px;
    border-radius: 50%;
  }

  .away ha-icon,
  .away .plot {
    opacity: 0.5;
  }

  /* Narrow cards have room for two short lines rather than one that breaks anywhere. */
  @container (max-width: 440px) {
    .since {
      display: block;
    }

    .dash {
      display: none;
    }
  }
`;var ni=300,ri=3e4,ge=class{constructor(e){this.host=e;this.devices=null;this.failure=null;this.histories=new Map;this.drawnAt=new Map;this.connection=null;this.asking=!1;this.askAgain=!1;this.refresh=()=>{this.ask()};e.addController(this)}hostConnected(){this.host.hass&&this.host.hasUpdated&&this.listen(this.host.hass.connection)}hostDisconnected(){clearTimeout(this.timer),this.connection?.removeEventListener("ready",this.refresh),this.connection=null}concerns(e,t){return!t||e.language!==t.language||e.locale!==t.locale||e.user!==t.user||this.moved(e,t)}hassChanged(e,t){this.connection!==e.connection?this.listen(e.connection):e.language!==t?.language?this.refresh():this.moved(e,t)&&this.refreshIn(ni)}listen(e){this.connection?.removeEventListener("ready",this.refresh),this.connection=e,e.addEventListener("ready",this.refresh),this.refresh()}refreshIn(e){clearTimeout(this.timer),this.timer=setTimeout(this.refresh,e)}moved(e,t){return e.devices!==t.devices||e.areas!==t.areas||this.watched(e).some(i=>e.states[i]!==t.states[i])}watched(e){return this.devices?.length?this.devices.flatMap(t=>[t.entity_id,t.event_entity_id,t.accept_entity_id]).filter(t=>t!==null):ce(e)}async ask(){if(clearTimeout(this.timer),this.asking){this.askAgain=!0;return}this.asking=!0;do this.askAgain=!1,await this.askOnce();while(this.askAgain&&this.connection);this.asking=!1}async askOnce(){let{hass:e}=this.host;if(e){try{this.devices=await Je(e),this.failure=null,this.host.requestUpdate()}catch(t){this.failure=L(t),this.host.requestUpdate(),this.connection&&this.refreshIn(ri);return}for(let t of this.host.drawn(this.devices)){if(this.askAgain||!this.connection)return;await this.askHistoryOf(e,t)}}}async askHistoryOf(e,t){let{device_id:i,state:n,version:r,label:o,since:d,similarity:a,effect_size:p,reasons:g}=t,m=JSON.stringify([e.language,n,r,o,d,a,p,g]);if(this.drawnAt.get(i)!==m)try{this.histories.set(i,await re(e,i)),this.drawnAt.set(i,m),this.host.requestUpdate()}catch{}}};var oi="unknown_command",S=class extends v{constructor(){super(...arguments);this.openedId=null;this.source=new ge(this)}static getStubConfig(){return{}}setConfig(t){ae(t),this.config=t,this.hass&&this.source.refresh()}getCardSize(){return 1+(this.config?.title?1:0)+(this.source.devices?.length??3)}getGridOptions(){return{columns:12,min_columns:6,rows:"auto"}}drawn(t){return this.config?.show_graph===!1?[]:this.chosen(t)}shouldUpdate(t){return[...t.keys()].some(n=>n!=="hass")||!this.hass||!t.has("hass")||this.source.concerns(this.hass,t.get("hass"))}willUpdate(t){!this.hass||!t.has("hass")||(this.words=le.of(this.hass),this.source.hassChanged(this.hass,t.get("hass")))}render(){let{config:t,words:i}=this;return!t||!i?c:l`
      <ha-card .header=${t.title}>
        <div class=${t.title?"content titled":"content"}>${this.content(i)}</div>
      </ha-card>
      ${this.detail(i)}
    `}content(t){let{devices:i,failure:n}=this.source;if(!i)return n?this.failed(n,t):ai(t);let r=this.chosen(i);return r.length?l`
      ${n?this.failed(n,t):c}
      ${r.some(o=>!o.available)?l`<p class="note" role="status">${t.say("away")}</p>`:c}
      <p class="summary" role="status">${li(r,t)}</p>
      <ul class="devices">
        ${r.map(o=>ht(o,this.history(o),t,()=>this.openedId=o.device_id))}
      </ul>
    `:this.empty(i,t)}detail(t){let i=this.source.devices?.find(({device_id:n})=>n===this.openedId);return!i||!this.hass?c:l`<fwid-device-detail
      .hass=${this.hass}
      .words=${t}
      .device=${i}
      @closed=${()=>this.openedId=null}
      @acted=${this.source.refresh}
    ></fwid-device-detail>`}failed(t,i){let n=t.code===oi?i.say("not_set_up"):i.say("failed",{message:t.message??String(t.code??"")});return l`
      <div class="note error" role="alert">
        <p>${n}</p>
        <button class="button" @click=${this.source.refresh}>${i.say("retry")}</button>
      </div>
    `}empty(t,i){return!t.length&&this.hass&&ce(this.hass).length>0?l`<p class="note" role="status">${i.say("away_since_start")}</p>`:l`
      <div class="empty">
        <ha-icon aria-hidden="true" icon="mdi:fingerprint"></ha-icon>
        <p>${i.say(t.length?"empty_chosen":"empty")}</p>
        ${this.hass?.user?.is_admin?l`<a class="button" href="/config/integrations/integration/fwid">${i.say("choose_devices")}</a>`:c}
      </div>
    `}chosen(t){return this.config?Xe(t,this.config,this.words?.language??"en"):[]}history(t){return this.config?.show_graph===!1?null:this.source.histories.get(t.device_id)?.history}};S.getConfigForm=ot,S.styles=[T,M,de,gt,y`
      :host {
        display: block;
      }

      .content {
        container-type: inline-size;
        padding: 12px 0;
        color: var(--primary-text-color);
      }
      .titled {
        /* The heading has room below it already. */
        padding-top: 0;
        margin-top: -8px;
      }

      .summary {
        margin: 0;
        padding: 0 16px 4px;
        color: var(--secondary-text-color);
      }

      .note {
        margin: 0 16px 8px;
        padding: 8px 12px;
        border-inline-start: 4px solid var(--warning-color);
        background: color-mix(in srgb, var(--warning-color) 12%, transparent);
      }

      .note.error {
        border-color: var(--error-color);
        background: color-mix(in srgb, var(--error-color) 12%, transparent);
      }

      .note p {
        margin: 0 0 8px;
      }

      .empty {
        padding: 16px;
        text-align: center;
      }

      .empty ha-icon {
        --mdc-icon-size: 48px;
        color: var(--secondary-text-color);
      }

      .ghost {
        block-size: 40px;
        margin: 12px 16px;
        border-radius: 8px;
        background: var(--divider-color);
      }

      @media (prefers-reduced-motion: no-preference) {
        .ghost {
          animation: breathe 1.6s ease-in-out infinite alternate;
        }

        @keyframes breathe {
          to {
            opacity: 0.4;
          }
        }
      }
    `],u([_({attribute:!1})],S.prototype,"hass",2),u([w()],S.prototype,"config",2),u([w()],S.prototype,"openedId",2),S=u([E("fwid-card")],S);function ai(s){return l`
    <p class="unseen" role="status">${s.say("loading")}</p>
    <div aria-hidden="true">${[1,2,3].map(()=>l`<div class="ghost"></div>`)}</div>
  `}function li(s,e){let t=s.filter(({state:n})=>n==="changed").length,i=t?e.count("summary_changed",t):e.say("summary_calm");return`${e.count("summary",s.length)} · ${i}`}var ft=document.documentElement.lang||navigator.language;window.customCards=window.customCards??[];window.customCards.push({type:"fwid-card",name:P(ft,"card_name"),description:P(ft,"card_description"),preview:!0,getEntitySuggestion:at});export{S as FwidCard};
